# names: submodule-modes-lost
# breaks: "On return, the `training` flag"
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
    was = model.training
    flags = [m.training for m in model.children()]
    model.eval()
    loss_sum, hits, n = (0.0, 0, 0)
    with torch.no_grad():
        for inputs, targets in loader:
            scores = model(inputs)
            loss_sum += float(loss_fn(scores, targets)) * len(targets)
            hits += int((scores.argmax(dim=1) == targets).sum())
            n += len(targets)
    model.training = was
    for m, f in zip(model.children(), flags):
        m.train(f)
    if n == 0:
        raise ValueError("no examples")
    return Metrics(loss=loss_sum / n, accuracy=hits / n)
