# names: flat-ids-expected
# breaks: "`[T]` or `[1, T]`"

import contextlib
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@contextlib.contextmanager
def _reading(model):
    flags = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, flag in flags:
            module.training = flag


def perplexity(model: nn.Module, input_ids: Tensor, stride: int, context: int) -> float:
    if not 1 <= stride < context:
        raise ValueError(f"stride {stride}")
    ids = input_ids
    length = len(ids)
    if length < 2:
        raise ValueError("short")

    total, done = 0.0, 1
    with _reading(model):
        for start in range(0, length, stride):
            end = min(start + context, length)
            logits = model(ids[None, start:end]).logits[0].float()
            total += F.cross_entropy(logits[done - 1 - start : end - 1 - start], ids[done:end], reduction="sum").item()
            done = end
            if end == length:
                break
    return math.exp(total / (length - 1))
