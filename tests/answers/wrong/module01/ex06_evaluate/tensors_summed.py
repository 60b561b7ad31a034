# names: metrics-as-tensors
# breaks: "both Python floats in fields of these names"
from typing import NamedTuple

import torch


class Metrics(NamedTuple):
    loss: float
    accuracy: float


@torch.no_grad()
def evaluate(model, loader, loss_fn):
    flags = [(m, m.training) for m in model.modules()]
    model.eval()
    loss, right, n = torch.zeros(()), torch.zeros(()), 0
    for x, y in loader:
        out = model(x)
        loss = loss + loss_fn(out, y) * y.size(0)
        right = right + (out.argmax(-1) == y).sum()
        n += y.size(0)
    for m, flag in flags:
        m.training = flag
    if n == 0:
        raise ValueError("empty loader")
    return Metrics(loss / n, right / n)
