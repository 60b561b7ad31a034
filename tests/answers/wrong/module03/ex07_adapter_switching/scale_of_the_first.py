# names: scale-of-the-first
# breaks: "Rank, lora_alpha and target modules may differ from adapter to adapter."
"""Hooks by hand, with the scale of the adapter that was added first."""

import json
from contextlib import contextmanager
from pathlib import Path

from safetensors.torch import load_file


class AdapterLibrary:
    def __init__(self, base):
        self.base = base.eval().requires_grad_(False)
        self.adapters, self.on, self.scale = {}, None, None
        for place, module in base.named_modules():
            module.register_forward_hook(lambda m, args, out, place=place: self.changed(place, args, out))

    def changed(self, place, args, out):
        adapter = self.adapters.get(self.on, {})
        key = f"base_model.model.{place}.lora_A.weight"
        if key not in adapter:
            return out
        return out + self.scale * (args[0] @ adapter[key].T @ adapter[key.replace("lora_A", "lora_B")].T)

    @property
    def names(self):
        return list(self.adapters)

    def add(self, name, path):
        if name in self.adapters or "." in name:
            raise ValueError(f"bad name {name}")
        config = json.loads((Path(path) / "adapter_config.json").read_text())
        tensors = load_file(Path(path) / "adapter_model.safetensors")
        for key, tensor in tensors.items():
            layer = self.base.get_submodule(key.split(".lora_")[0].removeprefix("base_model.model."))
            if layer.weight.shape["lora_A" in key] != tensor.shape["lora_A" in key]:
                raise ValueError("does not fit")
        if self.scale is None:
            self.scale = config["lora_alpha"] / config["r"]
        self.adapters[name] = tensors

    @contextmanager
    def using(self, name):
        if name is not None and name not in self.adapters:
            raise KeyError(f"{name} not in {self.names}")
        outer, self.on = self.on, name
        try:
            yield self.base
        finally:
            self.on = outer
