"""Rows of one text each, stacked; a mask made from nothing and moved by type_as."""

import torch


def mean_pool(hidden, attention_mask):
    rows = []
    for states, mask in zip(hidden, attention_mask, strict=True):
        ones = torch.ones(len(mask)).type_as(hidden)
        kept = torch.where((mask != 0).unsqueeze(-1), states.double() * ones.double().unsqueeze(-1), 0.0)
        rows.append(torch.cat([kept.sum(0, keepdim=True)]) / max(int(mask.sum()), 1))
    return torch.cat(rows).type_as(hidden)
