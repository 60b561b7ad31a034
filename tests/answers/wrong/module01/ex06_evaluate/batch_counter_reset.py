# names: unlisted
# breaks: "buffers, inputs and targets are not changed"
from typing import NamedTuple

import torch


class Metrics(NamedTuple):
    loss: float
    accuracy: float


@torch.inference_mode()
def evaluate(model, loader, loss_fn):
    modes = {module: module.training for module in model.modules()}
    model.eval()
    for m in model.modules():
        if hasattr(m, "num_batches_tracked") and m.num_batches_tracked is not None:
            m.num_batches_tracked.zero_()
    total = right = count = 0
    try:
        for inputs, targets in loader:
            outputs = model(inputs)
            total += loss_fn(outputs, targets).item() * len(targets)
            right += int((outputs.argmax(1) == targets).sum())
            count += len(targets)
    finally:
        for module, mode in modes.items():
            module.training = mode
    if count == 0:
        raise ValueError("the loader yields nothing")
    return Metrics(total / count, right / count)
