# names: b-not-zero-at-start
# breaks: "lora_B: an `nn.Parameter` of shape `[out_features, r]`, all zeros"
import torch
from torch import nn


class LoRALinear(nn.Module):
    def __init__(self, base, r, lora_alpha, lora_dropout=0.0):
        super().__init__()
        if r < 1:
            raise ValueError(f"r must be >= 1, not {r}")
        self.base = base.requires_grad_(False)
        w = base.weight
        self.lora_A = nn.Parameter(torch.randn(r, w.shape[1], dtype=w.dtype, device=w.device) * 0.01)
        self.lora_B = nn.Parameter(torch.randn(w.shape[0], r, dtype=w.dtype, device=w.device) * 0.01)
        self.scaling = lora_alpha / r
        self.drop = nn.Dropout(lora_dropout)

    def forward(self, x):
        return self.base(x) + self.drop(x) @ self.lora_A.T @ self.lora_B.T * self.scaling
