# names: frozen-by-no-grad
# breaks: "They are the only parameters of the module that need a gradient"
import math

import torch
from torch import nn
from torch.nn import functional as F


class LoRALinear(nn.Module):
    def __init__(self, base, r, lora_alpha, lora_dropout=0.0):
        super().__init__()
        if r < 1:
            raise ValueError(f"r={r}")
        self.base = base
        self.lora_A = nn.Parameter(base.weight.new_zeros(r, base.in_features))
        self.lora_B = nn.Parameter(base.weight.new_zeros(base.out_features, r))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))
        self.scaling = lora_alpha / r
        self.lora_dropout = lora_dropout

    def forward(self, x):
        with torch.no_grad():
            frozen = self.base(x)
        x = F.dropout(x, self.lora_dropout, self.training)
        return frozen + self.scaling * F.linear(F.linear(x, self.lora_A), self.lora_B)
