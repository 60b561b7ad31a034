# names: windows-without-overlap
# breaks: "The text is read in windows that start at token 0, stride, 2 · stride and so on."
import math

import torch


def perplexity(model, input_ids, stride, context):
    if not 1 <= stride < context:
        raise ValueError(f"stride {stride}")
    ids = input_ids.reshape(-1)
    if ids.numel() < 2:
        raise ValueError("too short")
    modes = {m: m.training for m in model.modules()}
    model.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        for chunk in ids.split(context):
            logits = model(chunk.unsqueeze(0)).logits.float()
            logp = torch.log_softmax(logits[0, :-1], dim=-1)
            for position, token in enumerate(chunk[1:].tolist()):
                total -= logp[position, token].item()
                count += 1
    for m in modes:
        m.training = modes[m]
    return math.exp(total / count)
