# names: wrong-scale
# breaks: "with the adapter, y = W x + (lora_alpha / r) B A x in each of its target modules"
# The scale is turned over.
import json
from contextlib import contextmanager
from pathlib import Path

from safetensors.torch import load_file


class AdapterLibrary:
    def __init__(self, base):
        self.base = base.eval().requires_grad_(False)
        self.adapters, self.on = {}, None
        for place, module in base.named_modules():
            module.register_forward_hook(lambda m, args, out, place=place: self.changed(place, args, out))

    def changed(self, place, args, out):
        for a, b in self.adapters.get(self.on, {}).get(place, []):
            out = out + args[0] @ a.T @ b.T
        return out

    @property
    def names(self):
        return list(self.adapters)

    def add(self, name, path):
        if name in self.adapters or "." in name:
            raise ValueError(f"bad name {name}")
        self.adapters[name] = self.read(path)

    def read(self, path):
        config = json.loads((Path(path) / "adapter_config.json").read_text())
        tensors = load_file(Path(path) / "adapter_model.safetensors")
        layers = {}
        for key, a in tensors.items():
            if "lora_A" in key:
                place = key.split(".lora_")[0].removeprefix("base_model.model.")
                b = tensors[key.replace("lora_A", "lora_B")] * config["r"] / config["lora_alpha"]
                if (b @ a).shape != self.base.get_submodule(place).weight.shape:
                    raise ValueError("does not fit")
                layers[place] = [(a, b)]
        return layers

    @contextmanager
    def using(self, name):
        if name is not None and name not in self.adapters:
            raise KeyError(f"{name} not in {self.names}")
        outer, self.on = self.on, name
        try:
            yield self.base
        finally:
            self.on = outer
