# names: mean-of-the-windows
# breaks: "exp(total / (T - 1)) as a Python float"
import math

import torch


def perplexity(model, input_ids, stride, context):
    if stride < 1 or stride >= context:
        raise ValueError(f"stride must be in 1..{context - 1}, got {stride}")
    ids = input_ids[0] if input_ids.dim() == 2 else input_ids
    if len(ids) < 2:
        raise ValueError("need two tokens")
    modes = [m.training for m in model.modules()]
    model.eval()
    nlls = []
    done = 0
    begin = 0
    with torch.no_grad():
        while True:
            window = ids[begin : begin + context]
            logp = model(window[None]).logits[0].float().log_softmax(-1)
            nll = -logp[:-1].gather(1, window[1:, None])[:, 0]
            new = min(begin + context, len(ids)) - max(done, 1)
            nlls.append(nll[-new:].mean().item())
            done = min(begin + context, len(ids))
            if done == len(ids):
                break
            begin += stride
    for m, t in zip(model.modules(), modes, strict=False):
        m.training = t
    return math.exp(sum(nlls) / len(nlls))
