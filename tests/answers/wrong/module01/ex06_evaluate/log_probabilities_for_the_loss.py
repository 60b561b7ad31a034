# names: log-softmax-before-the-loss
# breaks: "`loss_fn(outputs, targets)` returns the mean loss"
# A cross-entropy gives the same number for log-probabilities as for the scores; a squared error doesn't.
from typing import NamedTuple

import torch


class Metrics(NamedTuple):
    loss: float
    accuracy: float


def evaluate(model, loader, loss_fn):
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    losses, hits, seen = 0.0, 0, 0
    with torch.no_grad():
        for inputs, targets in loader:
            log_probs = torch.log_softmax(model(inputs), dim=1)
            losses += float(loss_fn(log_probs, targets)) * targets.numel()
            hits += int(log_probs.argmax(dim=1).eq(targets).sum())
            seen += targets.numel()
    for module, mode in modes:
        module.training = mode
    if not seen:
        raise ValueError("nothing to evaluate")
    return Metrics(losses / seen, hits / seen)
