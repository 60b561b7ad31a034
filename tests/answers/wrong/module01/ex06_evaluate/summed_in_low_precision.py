# names: summed-in-half-precision
# breaks: "the mean over all examples (not over batches)"
from typing import NamedTuple

import torch


class Metrics(NamedTuple):
    loss: float
    accuracy: float


@torch.inference_mode()
def evaluate(model, loader, loss_fn):
    modes = {module: module.training for module in model.modules()}
    model.eval()
    total = right = count = 0
    try:
        for inputs, targets in loader:
            outputs = model(inputs)
            total = total + loss_fn(outputs, targets) * len(targets)
            right += int((outputs.argmax(1) == targets).sum())
            count += len(targets)
    finally:
        for module, mode in modes.items():
            module.training = mode
    if count == 0:
        raise ValueError("the loader yields nothing")
    return Metrics(float(total) / count, right / count)
