# names: x-flattened-by-view
# breaks: "It need not be contiguous"
# view of a transposed x is an error.
import math

import torch
from torch import Tensor, nn


class LoRALinear(nn.Module):
    def __init__(self, base: nn.Linear, r: int, lora_alpha: float, lora_dropout: float = 0.0) -> None:
        super().__init__()
        if r < 1:
            raise ValueError(f"r must be at least 1, not {r}")
        self.base = base
        base.requires_grad_(False)
        weight = base.weight
        self.lora_A = nn.Parameter(torch.empty(r, base.in_features, dtype=weight.dtype, device=weight.device))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, r, dtype=weight.dtype, device=weight.device))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))
        self.scaling = lora_alpha / r
        self.dropout = nn.Dropout(lora_dropout)

    def forward(self, x: Tensor) -> Tensor:
        flat = self.dropout(x).view(-1, x.shape[-1])
        update = flat @ self.lora_A.T @ self.lora_B.T
        return self.base(x) + self.scaling * update.view(*x.shape[:-1], -1)
