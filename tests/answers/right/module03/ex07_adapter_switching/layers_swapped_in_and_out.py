"""For each adapter the layers that it changes, sharing the base's weights; a block swaps them in and out."""

from contextlib import contextmanager

import torch
from peft import LoraConfig, load_peft_weights
from torch import nn
from torch.nn import functional as F


class WithUpdate(nn.Module):
    def __init__(self, linear, a, b, scale):
        super().__init__()
        if a.shape[1] != linear.in_features or b.shape[0] != linear.out_features:
            raise ValueError("the adapter does not fit")
        self.linear = linear
        self.register_buffer("a", a)
        self.register_buffer("b", b)
        self.scale = scale

    def forward(self, x):
        return self.linear(x) + self.scale * F.linear(F.linear(x, self.a), self.b)


class AdapterLibrary:
    def __init__(self, base):
        base.eval()
        for parameter in base.parameters():
            parameter.requires_grad_(False)
        self.base, self.swaps, self.stack = base, {None: {}}, [None]
        self.plain = dict(base.named_modules())

    @property
    def names(self):
        return [name for name in self.swaps if name is not None]

    def add(self, name, path):
        if name in self.swaps or "." in name:
            raise ValueError(f"cannot add {name}")
        config = LoraConfig.from_pretrained(path)
        weights = load_peft_weights(str(path), device="cpu")
        swaps = {}
        for key in [key for key in weights if "lora_A" in key]:
            place = key.split(".lora_A")[0].replace("base_model.model.", "", 1)
            pair = weights[key], weights[key.replace("lora_A", "lora_B")]
            swaps[place] = WithUpdate(self.plain[place], *pair, config.lora_alpha / config.r).eval()
        self.swaps[name] = swaps

    def _show(self):
        on = self.swaps[self.stack[-1]]
        changed = {place for swaps in self.swaps.values() for place in swaps}
        for place in changed:
            parent, _, leaf = place.rpartition(".")
            setattr(self.plain[parent], leaf, on.get(place, self.plain[place]))

    @contextmanager
    def using(self, name):
        if name is not None and name not in self.swaps:
            raise KeyError(f"{name} is none of {self.names}")
        self.stack.append(name)
        self._show()
        try:
            with torch.no_grad():
                yield self.base
        finally:
            self.stack.pop()
            self._show()
