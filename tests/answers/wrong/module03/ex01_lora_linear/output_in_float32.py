# names: output-in-float32
# breaks: "`[..., out_features]` of the base's dtype"
import math

import torch
from torch import nn


class LoRALinear(nn.Module):
    def __init__(self, base, r, lora_alpha, lora_dropout=0.0):
        super().__init__()
        if r < 1:
            raise ValueError(f"r must be at least one: {r}")
        self.base = base.requires_grad_(False)
        self.lora_A = nn.Parameter(torch.empty(r, base.in_features).to(base.weight))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, r).to(base.weight))
        self.scaling = lora_alpha / r
        self.dropout = nn.Dropout(lora_dropout)

    def forward(self, x):
        return self.base(x) + self.scaling * (self.dropout(x).float() @ self.lora_A.float().T @ self.lora_B.float().T)
