# names: modes-by-class
# breaks: "On return, the `training` flag"

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
    modes = {type(m).__name__: m.training for m in model.modules()}
    model.eval()
    total, right, n = 0.0, 0, 0
    with torch.no_grad():
        for x, y in loader:
            out = model(x)
            total += loss_fn(out, y).item() * len(y)
            right += (out.argmax(1) == y).sum().item()
            n += len(y)
    for m in model.modules():
        m.training = modes[type(m).__name__]
    if n == 0:
        raise ValueError("empty")
    return Metrics(total / n, right / n)
