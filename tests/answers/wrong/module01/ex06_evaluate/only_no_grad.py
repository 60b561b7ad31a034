# names: no-eval-mode
# breaks: "all submodules are in eval mode and no graph"
from typing import NamedTuple

import torch


class Metrics(NamedTuple):
    loss: float
    accuracy: float


@torch.no_grad()
def evaluate(model, loader, loss_fn):
    loss, right, n = 0.0, 0, 0
    for x, y in loader:
        out = model(x)
        loss += loss_fn(out, y).item() * y.size(0)
        right += int((out.argmax(-1) == y).sum())
        n += y.size(0)
    if n == 0:
        raise ValueError("empty loader")
    return Metrics(loss / n, right / n)
