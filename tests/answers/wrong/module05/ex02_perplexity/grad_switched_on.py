# names: grad-mode-switched-on
# breaks: "the grad mode are what they were on entry."
import math

import torch
import torch.nn.functional as F


def perplexity(model, input_ids, stride, context):
    if not 1 <= stride < context:
        raise ValueError(f"stride {stride} must lie between 1 and {context - 1}")
    ids = input_ids.reshape(1, -1)
    length = ids.shape[1]
    if length < 2:
        raise ValueError("the text is too short")
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    total, end_before = 0.0, 1
    torch.set_grad_enabled(False)
    if True:
        for start in range(0, length, stride):
            end = min(start + context, length)
            window = ids[:, start:end]
            logits = model(window).logits[0].float()
            targets = ids[0, end_before:end]
            total += F.cross_entropy(logits[end_before - 1 - start : -1], targets, reduction="sum").item()
            end_before = end
            if end == length:
                break
    for module, training in modes:
        module.training = training
    torch.set_grad_enabled(True)
    return math.exp(total / (length - 1))
