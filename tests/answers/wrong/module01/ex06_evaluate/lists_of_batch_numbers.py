# names: mean-of-batch-means
# breaks: "the mean over all examples (not over batches)"
from typing import NamedTuple

import torch


class Metrics(NamedTuple):
    loss: float
    accuracy: float


def evaluate(model, loader, loss_fn):
    flags = [m.training for m in model.modules()]
    model.eval()
    losses, accuracies = [], []
    with torch.inference_mode():
        for x, y in loader:
            out = model(x)
            losses.append(loss_fn(out, y).item())
            accuracies.append((out.argmax(-1) == y).double().mean().item())
    for m, flag in zip(model.modules(), flags, strict=True):
        m.training = flag
    if not losses:
        raise ValueError("empty loader")
    return Metrics(sum(losses) / len(losses), sum(accuracies) / len(accuracies))
