# names: dropout-in-eval
# breaks: "In eval mode, nothing is dropped"
import math

import torch
from torch import nn


class LoRALinear(nn.Module):
    def __init__(self, base, r, lora_alpha, lora_dropout=0.0):
        super().__init__()
        if r < 1:
            raise ValueError(f"r must be at least one: {r}")
        self.base = base.requires_grad_(False)
        A = torch.empty((r, base.in_features), dtype=base.weight.dtype, device=base.weight.device)
        self.lora_A = nn.Parameter(nn.init.kaiming_uniform_(A, a=math.sqrt(5)))
        self.lora_B = nn.Parameter(torch.zeros_like(base.weight[:, 0]).unsqueeze(1).repeat(1, r))
        self.scaling = lora_alpha / r
        self.p = lora_dropout

    def forward(self, x):
        h = nn.functional.dropout(x, self.p)
        return self.base(x) + self.scaling * (h @ self.lora_A.T @ self.lora_B.T)
