# names: summed-in-half-precision
# breaks: "the share of examples whose largest score is that of the target"
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
            total += loss_fn(outputs, targets).item() * len(targets)
            right += float((outputs.argmax(1) == targets).to(outputs.dtype).cumsum(0)[-1])
            count += len(targets)
    finally:
        for module, mode in modes.items():
            module.training = mode
    if count == 0:
        raise ValueError("the loader yields nothing")
    return Metrics(total / count, right / count)
