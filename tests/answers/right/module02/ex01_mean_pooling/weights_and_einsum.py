"""The mask as weights that add up to 1, after the padding is replaced."""

import torch


def mean_pool(hidden, attention_mask):
    weights = attention_mask.float()
    weights = weights / weights.sum(dim=1, keepdim=True).clamp(min=1e-9)
    clean = hidden.masked_fill(attention_mask.logical_not().unsqueeze(-1), 0)
    return torch.einsum("bt,bth->bh", weights, clean.float()).to(hidden.dtype)
