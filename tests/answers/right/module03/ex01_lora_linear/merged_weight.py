"""Where nothing is dropped, one product with the merged weight; otherwise the update as one matrix."""

import torch
from torch import nn


class LoRALinear(nn.Module):
    def __init__(self, base, r, lora_alpha, lora_dropout=0.0):
        super().__init__()
        if not r >= 1:
            raise ValueError(f"rank {r}: it must be positive")
        base.weight.requires_grad_(False)
        if base.bias is not None:
            base.bias.requires_grad_(False)
        self.base, self.p, self.scaling = base, lora_dropout, float(lora_alpha) / r
        bound = base.in_features**-0.5
        a = torch.empty(r, base.in_features, device=base.weight.device).uniform_(-bound, bound)
        self.register_parameter("lora_A", nn.Parameter(a.to(base.weight.dtype)))
        self.register_parameter("lora_B", nn.Parameter(torch.zeros_like(base.weight[:, :1]).repeat(1, r)))

    def forward(self, x):
        delta = self.scaling * (self.lora_B @ self.lora_A)
        if self.training and self.p > 0:
            mask = torch.rand(x.shape, device=x.device) >= self.p
            return self.base(x) + (x * mask / (1 - self.p)) @ delta.T
        return nn.functional.linear(x, self.base.weight + delta, self.base.bias)
