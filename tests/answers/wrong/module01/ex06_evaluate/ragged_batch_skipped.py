# names: smaller-batch-skipped
# breaks: "Measure the model's loss and accuracy on all examples"
from typing import NamedTuple

import torch


class Metrics(NamedTuple):
    loss: float
    accuracy: float


def evaluate(model, loader, loss_fn):
    flags = [(m, m.training) for m in model.modules()]
    model.eval()
    loss, right, n, size = 0.0, 0, 0, 0
    with torch.no_grad():
        for x, y in loader:
            if len(y) < size:
                continue
            size = len(y)
            out = model(x)
            loss += loss_fn(out, y).item() * size
            right += int((out.argmax(-1) == y).sum())
            n += size
    for m, flag in flags:
        m.training = flag
    if n == 0:
        raise ValueError("empty loader")
    return Metrics(loss / n, right / n)
