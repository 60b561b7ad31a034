"""One text at a time, with boolean indexing."""

import torch


def mean_pool(hidden, attention_mask):
    means = []
    for states, mask in zip(hidden, attention_mask, strict=True):
        kept = states[mask.bool()].to(torch.float32)
        means.append(kept.mean(dim=0) if len(kept) else kept.sum(dim=0))
    return torch.stack(means).to(hidden.dtype)
