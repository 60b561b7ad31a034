# names: kept-not-scaled-up
# breaks: "the numbers that are kept are divided by 1 - lora_dropout"
import math

import torch
from torch import nn


class LoRALinear(nn.Module):
    def __init__(self, base, r, lora_alpha, lora_dropout=0.0):
        super().__init__()
        if r < 1:
            raise ValueError(f"r must be at least one: {r}")
        self.base = base.requires_grad_(False)
        self.lora_A = nn.Parameter(base.weight.new_empty(r, base.in_features))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))
        self.lora_B = nn.Parameter(base.weight.new_zeros(base.out_features, r))
        self.scaling = lora_alpha / r
        self.p = lora_dropout

    def forward(self, x):
        dropped = x.masked_fill(torch.rand_like(x) < self.p, 0.0) if self.training else x
        return self.base(x) + self.scaling * (dropped @ self.lora_A.T @ self.lora_B.T)
