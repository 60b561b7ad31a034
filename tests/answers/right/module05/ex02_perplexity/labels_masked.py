"""As in the guide of transformers: labels of -100 where a token was scored before, and a stop at the end."""

import math

import torch
import torch.nn.functional as F


def perplexity(model, input_ids, stride, context):
    if stride < 1 or stride >= context:
        raise ValueError(f"stride {stride} does not lie between 1 and {context - 1}")
    if input_ids.dim() == 1:
        input_ids = input_ids.unsqueeze(0)
    seq_len = input_ids.size(1)
    if seq_len < 2:
        raise ValueError("too short")
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    nll_sum = 0.0
    n_tokens = 0
    prev_end_loc = 0
    try:
        for begin_loc in range(0, seq_len, stride):
            end_loc = min(begin_loc + context, seq_len)
            trg_len = end_loc - prev_end_loc
            window = input_ids[:, begin_loc:end_loc]
            target_ids = window.clone()
            target_ids[:, :-trg_len] = -100
            with torch.no_grad():
                logits = model(window).logits.to(torch.float32)
            shifted = target_ids[:, 1:].reshape(-1)
            nll_sum += float(F.cross_entropy(logits[:, :-1].flatten(0, 1), shifted, ignore_index=-100, reduction="sum"))
            n_tokens += int((shifted != -100).sum())
            prev_end_loc = end_loc
            if end_loc == seq_len:
                break
    finally:
        for module, flag in modes:
            module.train(flag) if not list(module.children()) else setattr(module, "training", flag)
    return math.exp(nll_sum / n_tokens)
