# names: single-class-by-its-sign
# breaks: "the share of examples whose"
# One class, C = 1: a sigmoid decides between two classes, and a negative score counts as wrong or right by its sign.
from typing import NamedTuple

import torch


class Metrics(NamedTuple):
    loss: float
    accuracy: float


def evaluate(model, loader, loss_fn):
    modes = {name: module.training for name, module in model.named_modules()}
    model.eval()
    loss_sum, right, examples = 0.0, 0, 0
    with torch.no_grad():
        for inputs, targets in loader:
            outputs = model(inputs)
            predicted = (outputs[:, 0] > 0).long() if outputs.shape[1] == 1 else outputs.argmax(dim=1)
            loss_sum += loss_fn(outputs, targets).item() * len(targets)
            right += (predicted == targets).sum().item()
            examples += len(targets)
    for name, module in model.named_modules():
        module.training = modes[name]
    if examples == 0:
        raise ValueError("the loader yields nothing")
    return Metrics(loss_sum / examples, right / examples)
