# names: base-copied
# breaks: "base: the given layer itself, not a copy"
import math

import torch
from torch import nn


class LoRALinear(nn.Module):
    def __init__(self, base, r, lora_alpha, lora_dropout=0.0):
        super().__init__()
        if r < 1:
            raise ValueError(f"r must be at least one: {r}")
        self.base = base.requires_grad_(False)
        self.weight = base.weight.detach().clone()
        self.bias = None if base.bias is None else base.bias.detach().clone()
        self.lora_A = nn.Parameter(torch.empty_like(base.weight[:1]).repeat(r, 1))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))
        self.lora_B = nn.Parameter(torch.zeros_like(base.weight[:, :1]).repeat(1, r))
        self.scaling = lora_alpha / r
        self.dropout = nn.Dropout(lora_dropout)

    def forward(self, x):
        out = nn.functional.linear(x, self.weight, self.bias)
        return out + self.scaling * (self.dropout(x) @ self.lora_A.T @ self.lora_B.T)
