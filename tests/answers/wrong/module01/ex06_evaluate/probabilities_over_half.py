# names: probability-above-a-half
# breaks: "whose largest score is that of the target"
from typing import NamedTuple

import torch


class Metrics(NamedTuple):
    loss: float
    accuracy: float


def evaluate(model, loader, loss_fn):
    flags = [(m, m.training) for m in model.modules()]
    model.eval()
    loss, right, n = 0.0, 0, 0
    with torch.no_grad():
        for x, y in loader:
            out = model(x)
            loss += loss_fn(out, y).item() * len(y)
            right += (out.softmax(1)[torch.arange(len(y)), y] > 0.5).sum().item()
            n += len(y)
    for m, flag in flags:
        m.training = flag
    if n == 0:
        raise ValueError("empty loader")
    return Metrics(loss / n, right / n)
