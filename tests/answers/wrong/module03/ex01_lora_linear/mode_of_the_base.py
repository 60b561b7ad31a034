# names: mode-of-the-base-decides
# breaks: "In eval mode, nothing is dropped"
import math

import torch
from torch import nn


class LoRALinear(nn.Module):
    def __init__(self, base, r, lora_alpha, lora_dropout=0.0):
        if r < 1:
            raise ValueError(f"r={r} is below 1")
        super().__init__()
        for p in base.parameters():
            p.requires_grad = False
        self.base = base
        bound = 1 / math.sqrt(base.in_features)
        self.lora_A = nn.Parameter(torch.empty_like(base.weight[:1]).expand(r, -1).clone().uniform_(-bound, bound))
        self.lora_B = nn.Parameter(base.weight.new_zeros(base.out_features, r))
        self.scaling = lora_alpha / r
        self.p = lora_dropout

    def forward(self, x):
        kept = nn.functional.dropout(x, self.p, self.base.training)
        update = torch.einsum("...i,ri,or->...o", kept, self.lora_A, self.lora_B)
        return self.base(x) + self.scaling * update
