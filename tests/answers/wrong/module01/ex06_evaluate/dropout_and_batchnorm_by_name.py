# names: some-modules-in-eval-mode
# breaks: "all submodules are in eval mode and no graph"
from typing import NamedTuple

import torch


class Metrics(NamedTuple):
    loss: float
    accuracy: float


def evaluate(model, loader, loss_fn):
    flags = [(m, m.training) for m in model.modules()]
    for m in model.modules():
        if isinstance(m, (torch.nn.Dropout, torch.nn.BatchNorm1d)):
            m.eval()
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
    return Metrics(loss / n, right / n)
