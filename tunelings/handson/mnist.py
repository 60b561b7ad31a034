"""The digits of module 01: read the ones that ship, fetch the full set, show the wrong answers.

The files are IDX, the format that MNIST was published in and torchvision reads. They are read here with
torch alone, because importing torchvision takes seconds and a check runs at each save.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from tunelings.course import shipped

Digits = tuple[Tensor, Tensor]  # images uint8 [N, 28, 28] and labels int64 [N]


def load_digits(root: str | Path) -> tuple[Digits, Digits]:
    """The training and the test digits under `root`, a folder in the layout of torchvision's MNIST."""
    raw = Path(root, "MNIST", "raw")
    return _pair(raw, "train"), _pair(raw, "t10k")


def _pair(raw: Path, part: str) -> Digits:
    images = _idx(raw / f"{part}-images-idx3-ubyte", header=16).view(-1, 28, 28)
    return images, _idx(raw / f"{part}-labels-idx1-ubyte", header=8).long()


def _idx(path: Path, header: int) -> Tensor:
    """The bytes of an IDX file behind its header: 4 bytes of magic and 4 for each dimension."""
    return torch.frombuffer(bytearray(shipped(path, "digits").read_bytes()), dtype=torch.uint8)[header:]


def download_full(root: str | Path) -> tuple[Digits, Digits]:
    """All 60,000 + 10,000 digits; torchvision downloads them to `root` where they are not there yet.

    Raises:
        ConnectionError: one line that says what to do offline.
    """
    from torchvision.datasets import MNIST

    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            for train in (True, False):
                MNIST(root, train=train, download=True)
    except (OSError, RuntimeError):
        raise ConnectionError(
            f"The full MNIST is not in {root} and cannot be downloaded: go online once, "
            "or set TUNELINGS_MNIST to a folder that holds MNIST/raw/."
        ) from None
    return load_digits(root)


@torch.no_grad()
def predict(model: nn.Module, loader: Iterable) -> Tensor:
    """The digit that the model gives each image of the loader, in eval mode, in the loader's order."""
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    predictions = [model(images.to(device)).argmax(-1).cpu() for images, _ in loader]
    model.train(was_training)
    return torch.cat(predictions)


def show_wrong(images: Tensor, labels: Tensor, predictions: Tensor, path: str | Path, most: int = 40) -> int:
    """Save the wrongly classified digits, each with its prediction and its label; returns how many."""
    from matplotlib.figure import Figure

    wrong = (predictions != labels).nonzero().flatten()
    figure = Figure(figsize=(10, 7), layout="constrained")
    shown = min(most, len(wrong))
    figure.suptitle(f"{len(wrong)} of {len(labels)} wrong, the first {shown} here (predicted / true)")
    for place, index in enumerate(wrong[:most].tolist(), start=1):
        axes = figure.add_subplot((most + 7) // 8, 8, place)
        axes.imshow(images[index].numpy(), cmap="gray_r")
        axes.set_title(f"{int(predictions[index])} / {int(labels[index])}")
        axes.axis("off")
    figure.savefig(path)
    return len(wrong)
