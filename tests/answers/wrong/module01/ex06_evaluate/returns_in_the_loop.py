# names: first-batch-only
# breaks: "Measure the model's loss and accuracy on all examples"
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
            loss += loss_fn(out, y).item() * y.size(0)
            right += int((out.argmax(-1) == y).sum())
            n += y.size(0)
            for m, flag in flags:
                m.training = flag
            return Metrics(loss / n, right / n)
    raise ValueError("empty loader")
