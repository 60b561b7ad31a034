"""Sums in float32 tensors, as many training scripts do; turned into floats at the end."""

from typing import NamedTuple

import torch


class Metrics(NamedTuple):
    loss: float
    accuracy: float


def evaluate(model, loader, loss_fn):
    training = {module: module.training for module in model.modules()}
    model.eval()
    sums = torch.zeros(3)
    with torch.inference_mode():
        for inputs, targets in loader:
            outputs = model(inputs)
            sums[0] += loss_fn(outputs, targets) * targets.numel()
            sums[1] += (outputs.argmax(-1) == targets).sum()
            sums[2] += targets.numel()
    for module, flag in training.items():
        module.training = flag
    if sums[2] == 0:
        raise ValueError("loader is empty")
    loss, accuracy, _ = (sums / sums[2]).tolist()
    return Metrics(loss, accuracy)
