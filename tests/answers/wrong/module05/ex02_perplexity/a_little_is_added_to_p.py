# names: probability-kept-from-zero
# breaks: "so that log p is finite for logits that are far apart"
# 1e-12 is added to p, so no loss is above 27.6.
import math

import torch
from torch import Tensor, nn


def perplexity(model: nn.Module, input_ids: Tensor, stride: int, context: int) -> float:
    if not 1 <= stride < context:
        raise ValueError(f"stride {stride} must be at least 1 and below the context {context}")
    ids = input_ids.reshape(-1)
    length = ids.numel()
    if length < 2:
        raise ValueError("at least two tokens")
    modes = {module: module.training for module in model.modules()}
    model.eval()
    total, done = (0.0, 1)
    with torch.no_grad():
        for start in range(0, length, stride):
            end = min(start + context, length)
            logits = model(ids[None, start:end]).logits[0].float()
            p = torch.softmax(logits[done - start - 1 : end - start - 1], dim=-1)
            losses = -torch.log(p.gather(1, ids[done:end, None]) + 1e-12).sum()
            total += losses.item()
            done = end
            if end == length:
                break
    for module, mode in modes.items():
        module.training = mode
    return math.exp(total / (length - 1))
