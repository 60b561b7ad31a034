# names: parameters-unfrozen
# breaks: "the `training` flag of each of its submodules"
# Parameters are frozen and unfrozen instead of switching gradients off, and the model is in train mode afterwards.
import math

import torch.nn.functional as F


def perplexity(model, input_ids, stride, context):
    if not 1 <= stride < context:
        raise ValueError(f"stride {stride}")
    ids = input_ids.reshape(1, -1)
    if ids.shape[1] < 2:
        raise ValueError("too short")
    model.eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    total, done, start = 0.0, 1, 0
    while done < ids.shape[1]:
        end = min(start + context, ids.shape[1])
        logits = model(ids[:, start:end]).logits[0].float()
        total += F.cross_entropy(logits[done - 1 - start : -1], ids[0, done:end], reduction="sum").item()
        done, start = end, start + stride
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    model.train()
    return math.exp(total / (ids.shape[1] - 1))
