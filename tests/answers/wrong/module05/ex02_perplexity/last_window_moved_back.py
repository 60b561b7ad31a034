# names: last-window-moved-back
# breaks: "the last one, the first to reach the end of the text"
# The last window is moved back so that it is whole: its tokens see more than the contract says.
import math

import torch
import torch.nn.functional as F


def perplexity(model, input_ids, stride, context):
    if not 1 <= stride < context:
        raise ValueError(f"stride {stride}")
    ids = input_ids.reshape(-1)
    n = len(ids)
    if n < 2:
        raise ValueError("too short")
    modes = {m: m.training for m in model.modules()}
    model.eval()
    total, done, start = 0.0, 1, 0
    with torch.no_grad():
        while done < n:
            end = min(start + context, n)
            begin = max(0, end - context)
            logits = model(ids[None, begin:end]).logits[0].float()
            new = end - done
            total += F.cross_entropy(logits[-new - 1 : -1], ids[done:end], reduction="sum").item()
            done = end
            start += stride
    for m, t in modes.items():
        m.training = t
    return math.exp(total / (n - 1))
