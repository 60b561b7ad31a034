# names: counted-by-the-data-set
# breaks: "the mean over all examples (not over batches)"
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
    n = len(loader.dataset) if hasattr(loader, "dataset") else n
    return Metrics(loss / n, hits / n)
