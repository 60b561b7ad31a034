# names: no-alpha-over-r
# breaks: "output = base(x) + (lora_alpha / r) * B A x"
import torch
from torch import nn


class LoRALinear(nn.Module):
    def __init__(self, base, r, lora_alpha, lora_dropout=0.0):
        super().__init__()
        if r < 1:
            raise ValueError(f"bad rank {r}")
        self.base = base
        for p in base.parameters():
            p.requires_grad = False
        self.lora_A = nn.Parameter(torch.randn(r, base.in_features).to(base.weight) / base.in_features**0.5)
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, r).to(base.weight))
        self.scaling = lora_alpha / r
        self.lora_dropout = nn.Dropout(lora_dropout)

    def forward(self, x):
        return self.base(x) + self.lora_dropout(x) @ self.lora_A.T @ self.lora_B.T
