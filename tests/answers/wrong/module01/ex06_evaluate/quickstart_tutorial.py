# names: mean-of-batch-means
# breaks: "the mean over all examples (not over batches)"
from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Metrics(NamedTuple):
    loss: float
    accuracy: float


def evaluate(
    model: nn.Module, loader: Iterable[tuple[Tensor, Tensor]], loss_fn: Callable[[Tensor, Tensor], Tensor]
) -> Metrics:
    modes = {m: m.training for m in model.modules()}
    model.eval()
    size, num_batches = (len(loader.dataset), len(loader))
    if size == 0:
        raise ValueError("loader yields nothing")
    test_loss, correct = (0.0, 0.0)
    with torch.no_grad():
        for X, y in loader:
            pred = model(X)
            test_loss += loss_fn(pred, y).item()
            correct += (pred.argmax(1) == y).type(torch.float).sum().item()
    for m, flag in modes.items():
        m.training = flag
    return Metrics(test_loss / num_batches, correct / size)
