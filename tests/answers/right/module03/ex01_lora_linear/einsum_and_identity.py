"""Einsum, an Identity where no dropout is asked for, the scale put into the hidden numbers, helpers."""

import math

import torch
from torch import nn


def check_rank(r):
    if r < 1:
        raise ValueError(f"expected r >= 1 but got r = {r!r}")
    return r


class LoRALinear(nn.Module):
    def __init__(self, base, r, lora_alpha, lora_dropout=0.0):
        super().__init__()
        rank = check_rank(r)
        self.lora_dropout = nn.Dropout(lora_dropout) if lora_dropout > 0 else nn.Identity()
        self.base = base
        self.base.requires_grad_(False)
        self.lora_A = nn.Parameter(torch.zeros(rank, base.in_features))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, rank))
        self.r, self.lora_alpha = rank, lora_alpha
        self.reset_parameters()
        self.to(base.weight.device, base.weight.dtype)

    @property
    def scaling(self):
        return self.lora_alpha / self.r

    def reset_parameters(self):
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))
        nn.init.zeros_(self.lora_B)

    def forward(self, x):
        hidden = torch.einsum("...i,ri->...r", self.lora_dropout(x), self.lora_A) * self.scaling
        return torch.einsum("...r,or->...o", hidden, self.lora_B).add(self.base(x))
