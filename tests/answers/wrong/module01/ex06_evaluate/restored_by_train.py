# names: submodule-modes-lost
# breaks: "the `training` flag of each submodule is what it was on entry"

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
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    loss, correct, n = 0.0, 0, 0
    with torch.no_grad():
        for inputs, targets in loader:
            outputs = model(inputs)
            loss += loss_fn(outputs, targets).item() * len(targets)
            correct += (outputs.argmax(dim=1) == targets).sum().item()
            n += len(targets)
    for module, mode in modes:
        module.train(mode)
    if n == 0:
        raise ValueError("empty loader")
    return Metrics(loss / n, correct / n)
