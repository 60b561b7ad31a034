# names: window-for-each-token
# breaks: "has at least `context - stride` tokens before it"
# Each token is scored in a window of its own that ends at it: more context than asked for, and T - 1 passes.
import math

import torch
import torch.nn.functional as F


def perplexity(model, input_ids, stride, context):
    if not 1 <= stride < context:
        raise ValueError(f"stride {stride}")
    ids = input_ids.reshape(-1)
    if len(ids) < 2:
        raise ValueError("too short")
    modes = {m: m.training for m in model.modules()}
    model.eval()
    total = 0.0
    with torch.no_grad():
        for i in range(1, len(ids)):
            start = max(0, i + 1 - context)
            logits = model(ids[None, start : i + 1]).logits[0, -2].float()
            total += F.cross_entropy(logits, ids[i]).item()
    for m, t in modes.items():
        m.training = t
    return math.exp(total / (len(ids) - 1))
