"""One addmm on a flattened batch, A from torch.rand, the result reshaped."""

import torch
from torch import Tensor, nn


class LoRALinear(nn.Module):
    def __init__(self, base: nn.Linear, r: int, lora_alpha: float, lora_dropout: float = 0.0):
        super().__init__()
        if r < 1:
            raise ValueError("r must be positive, not " + str(r))
        self.base = base
        [p.requires_grad_(False) for p in base.parameters()]
        with torch.device(base.weight.device):
            self.lora_A = nn.Parameter(torch.rand(r, base.in_features, dtype=base.weight.dtype) * 2 - 1)
            self.lora_B = nn.Parameter(torch.zeros(base.out_features, r, dtype=base.weight.dtype))
        with torch.no_grad():
            self.lora_A /= base.in_features**0.5
        self.scaling = lora_alpha / r
        self.drop = nn.Dropout(p=lora_dropout)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        out = torch.addmm(self.base(rows), self.drop(rows) @ self.lora_A.T, self.lora_B.T, alpha=self.scaling)
        return out.reshape(*x.shape[:-1], -1)
