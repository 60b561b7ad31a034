# names: last-window-scored-whole
# breaks: "Each token except the text's first is scored exactly once, in the first window that contains it."
import math

import torch
import torch.nn.functional as F


def perplexity(model, input_ids, stride, context):
    if not 1 <= stride < context:
        raise ValueError(f"stride {stride} does not fit context {context}")
    input_ids = input_ids.view(1, -1)
    seq_len = input_ids.size(1)
    if seq_len < 2:
        raise ValueError("too short")
    was = {m: m.training for m in model.modules()}
    model.eval()
    total = 0.0
    prev_end = 0
    for begin in range(0, seq_len, stride):
        end = min(begin + context, seq_len)
        trg_len = end - prev_end
        ids = input_ids[:, begin:end]
        target = ids.clone()
        target[:, :-trg_len] = -100
        with torch.no_grad():
            logits = model(ids).logits.float()
        total += F.cross_entropy(logits[0, :-1], target[0, 1:], reduction="sum").item()
        prev_end = end
    for m, t in was.items():
        m.training = t
    return math.exp(total / (seq_len - 1))
