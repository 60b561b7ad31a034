# names: unlisted
# breaks: "both Python floats in fields of these names"
from typing import NamedTuple

import torch


class Metrics(NamedTuple):
    loss: float
    accuracy: float


def evaluate(model, loader, loss_fn):
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    loss = hits = n = 0
    try:
        with torch.no_grad():
            for inputs, targets in loader:
                outputs = model(inputs)
                loss += loss_fn(outputs, targets).item() * len(targets)
                hits += (outputs.argmax(1) == targets).sum().item()
                n += len(targets)
    finally:
        for module, mode in modes:
            module.training = mode
    if not n:
        raise ValueError("nothing to evaluate")
    return Metrics(loss / n, hits // n if hits in (0, n) else hits / n)
