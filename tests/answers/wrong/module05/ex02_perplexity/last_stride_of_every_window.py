# names: last-stride-of-the-first-window-too
# breaks: "Each token except the text's first is scored exactly once, in the first window that contains it."

import contextlib

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
        raise ValueError(f"stride {stride} must be at least 1 and less than context {context}")
    ids = input_ids.reshape(-1)
    length = len(ids)
    if length < 2:
        raise ValueError("the text needs two tokens")

    losses, done = [], 0
    with _reading(model):
        for start in range(0, length, stride):
            end = min(start + context, length)
            fresh = min(stride, end - done, end - start - 1)
            logits = model(ids[None, start:end]).logits[0].float()
            losses.append(F.cross_entropy(logits[-fresh - 1 : -1], ids[end - fresh : end], reduction="none"))
            done = end
            if end == length:
                break
    return torch.cat(losses).mean().exp().item()
