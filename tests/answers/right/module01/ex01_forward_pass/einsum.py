"""Indices instead of transposes; the cut is a mask."""

import torch


def forward(x, w1, b1, w2, b2):
    pre = torch.einsum("...i,hi->...h", x, w1) + b1
    active = (pre > 0).to(x.dtype)
    return torch.einsum("...h,oh->...o", pre * active, w2) + b2
