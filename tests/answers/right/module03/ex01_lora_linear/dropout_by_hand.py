import math

import torch
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
        self.p = lora_dropout

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        if self.training and self.p > 0:
            keep = torch.rand_like(x) >= self.p
            seen = torch.where(keep, x / (1 - self.p), torch.zeros_like(x))
        output = self.base(x)
        output += self.scaling * (seen @ self.lora_A.T @ self.lora_B.T)
        return output
