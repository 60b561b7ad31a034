# names: metrics-as-numpy
# breaks: "both Python floats in fields of these names"
from typing import NamedTuple

import numpy as np
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
            right += (out.argmax(1) == y).sum().item()
            n += len(y)
    for m, flag in flags:
        m.training = flag
    if n == 0:
        raise ValueError("empty loader")
    return Metrics(np.divide(loss, n), np.divide(right, n))
