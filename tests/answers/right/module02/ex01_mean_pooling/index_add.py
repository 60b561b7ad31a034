"""All real tokens of the batch in one list, added to the row that each belongs to."""

import torch


def mean_pool(hidden, attention_mask):
    rows, positions = torch.nonzero(attention_mask, as_tuple=True)
    out = torch.zeros(hidden.size(0), hidden.size(2), dtype=torch.float32, device=hidden.device)
    out = out.index_add(0, rows, hidden[rows, positions].float())
    n = torch.bincount(rows, minlength=hidden.size(0)).clamp(min=1)
    out /= n[:, None]
    return out.to(hidden.dtype)
