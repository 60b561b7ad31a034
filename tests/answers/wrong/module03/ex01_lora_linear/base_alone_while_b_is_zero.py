# names: base-alone-while-b-is-zero
# breaks: "The gradient reaches A, B and x"
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LoRALinear(nn.Module):
    def __init__(self, base: nn.Linear, r: int, lora_alpha: float, lora_dropout: float = 0.0) -> None:
        super().__init__()
        if r < 1:
            raise ValueError(f"the rank must be at least 1, not {r}")
        base.requires_grad_(False)
        self.base = base
        weight = base.weight
        self.lora_A = nn.Parameter(torch.empty(r, base.in_features, dtype=weight.dtype, device=weight.device))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, r, dtype=weight.dtype, device=weight.device))
        self.scaling = lora_alpha / r
        self.dropout = nn.Dropout(lora_dropout)

    def forward(self, x: Tensor) -> Tensor:
        output = self.base(x)
        if not torch.count_nonzero(self.lora_B):
            return output
        return output + self.scaling * F.linear(F.linear(self.dropout(x), self.lora_A), self.lora_B)
