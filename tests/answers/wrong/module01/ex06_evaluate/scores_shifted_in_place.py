# names: outputs-changed-in-place
# breaks: "are not changed"
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
    flags = [m.training for m in model.modules()]
    model.eval()
    loss_sum, hits, n = (0.0, 0, 0)
    with torch.no_grad():
        for inputs, targets in loader:
            scores = model(inputs)
            loss_sum += float(loss_fn(scores, targets)) * len(targets)
            scores -= scores.max(dim=1, keepdim=True).values
            hits += int((scores.exp_().argmax(dim=1) == targets).sum())
            n += len(targets)
    for m, f in zip(model.modules(), flags):
        m.training = f
    if n == 0:
        raise ValueError("no examples")
    return Metrics(loss=loss_sum / n, accuracy=hits / n)
