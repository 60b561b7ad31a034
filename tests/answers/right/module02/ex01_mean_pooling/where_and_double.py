"""torch.where, and float64 throughout; the count by count_nonzero."""

import torch


def mean_pool(hidden, attention_mask):
    mask = attention_mask[:, :, None] != 0
    total = torch.where(mask, hidden.double(), torch.tensor(0.0)).sum(1)
    n = torch.count_nonzero(attention_mask, dim=1).unsqueeze(1)
    return torch.where(n > 0, total / n.clamp_min(1), 0.0).type_as(hidden)
