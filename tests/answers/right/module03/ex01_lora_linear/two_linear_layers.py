"""Draws A with a linear layer of its own, keeps p and calls F.dropout; the base by its weight and bias."""

import torch.nn as nn
import torch.nn.functional as F


class LoRALinear(nn.Module):
    def __init__(self, base, r, lora_alpha, lora_dropout=0.0):
        super().__init__()
        if r <= 0:
            raise ValueError(f"r={r} is not a rank")
        self.base = base
        for parameter in self.base.parameters():
            parameter.requires_grad = False
        down = nn.Linear(base.in_features, r, bias=False)
        self.lora_A = nn.Parameter(down.weight.detach().to(base.weight))
        self.lora_B = nn.Parameter(base.weight.new_zeros((base.out_features, r)))
        self.lora_dropout = lora_dropout
        self.scaling = lora_alpha / r

    def forward(self, x):
        dropped = F.dropout(x, p=self.lora_dropout, training=self.training)
        out = F.linear(x, self.base.weight, self.base.bias)
        return out + (dropped @ self.lora_A.t() @ self.lora_B.t()) * self.scaling
