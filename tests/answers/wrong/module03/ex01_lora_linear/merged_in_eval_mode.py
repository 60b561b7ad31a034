# names: merged-in-eval-mode
# breaks: "A linear layer that does not change, plus an update of rank r that is trained instead of it."
# eval() adds the update to the base and train() takes it off again, as the first LoRA code did.
import math

import torch
from torch import nn


class LoRALinear(nn.Module):
    def __init__(self, base, r, lora_alpha, lora_dropout=0.0):
        super().__init__()
        if r < 1:
            raise ValueError(f"r is {r}")
        self.base = base
        for parameter in base.parameters():
            parameter.requires_grad = False
        self.lora_A = nn.Parameter(base.weight.new_empty(r, base.in_features))
        self.lora_B = nn.Parameter(base.weight.new_zeros(base.out_features, r))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))
        self.scaling = lora_alpha / r
        self.lora_dropout = nn.Dropout(lora_dropout)
        self.merged = False

    @torch.no_grad()
    def train(self, mode=True):
        super().train(mode)
        if mode == self.merged:
            update = self.scaling * (self.lora_B @ self.lora_A)
            self.base.weight.add_(update, alpha=-1 if mode else 1)
            self.merged = not mode
        return self

    def forward(self, x):
        if self.merged:
            return self.base(x)
        return self.base(x) + self.scaling * (self.lora_dropout(x) @ self.lora_A.T @ self.lora_B.T)
