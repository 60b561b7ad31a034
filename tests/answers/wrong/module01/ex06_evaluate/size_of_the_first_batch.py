# names: size-of-the-first-batch
# breaks: "the batches may differ in size"
from typing import NamedTuple

import torch


class Metrics(NamedTuple):
    loss: float
    accuracy: float


def evaluate(model, loader, loss_fn):
    flags = [(m, m.training) for m in model.modules()]
    model.eval()
    loss, right, batches, size = 0.0, 0, 0, None
    with torch.no_grad():
        for x, y in loader:
            size = size or len(y)
            out = model(x)
            loss += loss_fn(out, y).item() * len(y)
            right += int((out.argmax(-1) == y).sum())
            batches += 1
    for m, flag in flags:
        m.training = flag
    if batches == 0:
        raise ValueError("empty loader")
    return Metrics(loss / (batches * size), right / (batches * size))
