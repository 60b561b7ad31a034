# names: train-mode
# breaks: "The model runs in eval mode"
# A model whose root is in eval mode with a dropout in training mode is not switched.

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def perplexity(model: nn.Module, input_ids: Tensor, stride: int, context: int) -> float:
    if not 1 <= stride < context:
        raise ValueError(f"stride {stride} is not from 1 to {context - 1}")
    ids = input_ids.reshape(1, -1)
    length = ids.shape[1]
    if length < 2:
        raise ValueError("a text of at least two tokens is needed")
    modes = [(module, module.training) for module in model.modules()]
    if model.training:
        model.eval()
    total, scored = 0.0, 1
    with torch.no_grad():
        for start in range(0, length, stride):
            end = min(start + context, length)
            logits = model(ids[:, start:end]).logits[0].float()
            new = slice(scored - start - 1, end - start - 1)
            total += F.cross_entropy(logits[new], ids[0, scored:end], reduction="sum").item()
            scored = end
            if end == length:
                break
    for module, mode in modes:
        module.training = mode
    return math.exp(total / (length - 1))
