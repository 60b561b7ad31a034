"""logaddexp, one class after another: never a maximum by hand. An empty batch is a case of its own."""

from functools import reduce

import torch


def cross_entropy(logits, targets, ignore_index=-100):
    rows = torch.nonzero(targets.ne(ignore_index), as_tuple=True)[0]
    z = logits.index_select(0, rows).to(torch.float64)
    if rows.numel() == 0:
        return z.sum().to(logits.dtype)
    normalizer = reduce(torch.logaddexp, z.unbind(dim=1))
    target_scores = z[torch.arange(rows.numel()), targets[rows]]
    return torch.mean(normalizer - target_scores).to(logits.dtype)
