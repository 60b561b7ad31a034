"""The modes in a context manager, the numbers in a generator."""

import contextlib
import math
from collections import namedtuple

import torch

Metrics = namedtuple("Metrics", ["accuracy", "loss"])


@contextlib.contextmanager
def evaluating(model):
    training = {name for name, module in model.named_modules() if module.training}
    previous = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    try:
        yield model.eval()
    finally:
        torch.set_grad_enabled(previous)
        for name, module in model.named_modules():
            module.training = name in training


def _batches(model, loader, loss_fn):
    with evaluating(model):
        for inputs, targets in loader:
            outputs = model(inputs)
            hits = torch.count_nonzero(outputs.topk(1, dim=1).indices.squeeze(1) == targets)
            yield len(targets), loss_fn(outputs, targets).item(), int(hits)


def evaluate(model, loader, loss_fn):
    measured = [*_batches(model, loader, loss_fn)]
    total = sum(n for n, _, _ in measured)
    if total < 1:
        raise ValueError("the loader holds no example")
    loss = math.fsum(n * mean for n, mean, _ in measured) / total
    return Metrics(loss=loss, accuracy=sum(hits for _, _, hits in measured) / total)
