# names: eval-without-graph
# breaks: "The gradient reaches A, B and x"
# In eval mode the forward pass runs under no_grad.

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LoRALinear(nn.Module):
    def __init__(self, base: nn.Linear, r: int, lora_alpha: float, lora_dropout: float = 0.0) -> None:
        super().__init__()
        if r < 1:
            raise ValueError(f"the rank r must be at least 1, got {r}")
        self.base = base.requires_grad_(False)
        like_base = {"dtype": base.weight.dtype, "device": base.weight.device}
        self.lora_A = nn.Parameter(torch.empty(r, base.in_features, **like_base))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, r, **like_base))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))
        self.scaling = lora_alpha / r
        self.dropout = nn.Dropout(lora_dropout)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            with torch.no_grad():
                return self.base(x) + self.scaling * F.linear(F.linear(x, self.lora_A), self.lora_B)
        hidden = F.linear(self.dropout(x), self.lora_A)  # [..., r]
        return self.base(x) + self.scaling * F.linear(hidden, self.lora_B)
