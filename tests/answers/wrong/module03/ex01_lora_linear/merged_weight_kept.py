# names: merged-kept-for-eval-mode
# breaks: "output = base(x) + (lora_alpha / r) * B A x"
# A second call in eval mode, after A and B were changed.

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
        self._merged = None

    def train(self, mode: bool = True):
        self._merged = None
        return super().train(mode)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            if self._merged is None:
                self._merged = self.base.weight + self.scaling * self.lora_B @ self.lora_A
            return F.linear(x, self._merged, self.base.bias)
        hidden = F.linear(self.dropout(x), self.lora_A)  # [..., r]
        return self.base(x) + self.scaling * F.linear(hidden, self.lora_B)
