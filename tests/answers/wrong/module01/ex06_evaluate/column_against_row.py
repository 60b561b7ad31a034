# names: column-against-row
# breaks: "the share of examples whose largest score is that of the target"

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Metrics(NamedTuple):
    """Means over all examples: the loss, and the share of correct answers, from 0 to 1."""

    loss: float
    accuracy: float


def evaluate(
    model: nn.Module,
    loader: Iterable[tuple[Tensor, Tensor]],
    loss_fn: Callable[[Tensor, Tensor], Tensor],
) -> Metrics:
    modes = {module: module.training for module in model.modules()}
    model.eval()
    loss = correct = n = 0.0
    with torch.no_grad():
        for inputs, targets in loader:
            outputs = model(inputs)
            loss += float(loss_fn(outputs, targets)) * targets.numel()
            correct += float((outputs.argmax(dim=1, keepdim=True) == targets).float().mean(dim=1).sum())
            n += targets.numel()
    for module, mode in modes.items():
        module.training = mode
    if not n:
        raise ValueError("no batches")
    return Metrics(loss=loss / n, accuracy=correct / n)
