"""No peft at all: the two files are read by hand and a hook adds the update; the base keeps its layers."""

import json
from pathlib import Path

from safetensors.torch import load_file


class _Block:
    def __init__(self, library, name):
        self.library, self.name = library, name

    def __enter__(self):
        if self.name is not None and self.name not in self.library._adapters:
            raise KeyError(f"{self.name}: not one of {sorted(self.library._adapters)}")
        self.before, self.library._on = self.library._on, self.name
        return self.library._base

    def __exit__(self, *error):
        self.library._on = self.before
        return False


class AdapterLibrary:
    def __init__(self, base):
        self._base = base.eval().requires_grad_(False)
        self._adapters = {}
        self._on = None
        self._hooked = set()

    @property
    def names(self):
        return [*self._adapters]

    def add(self, name, path):
        if name in self._adapters or name.find(".") >= 0:
            raise ValueError(f"bad name: {name}")
        config = json.loads((Path(path) / "adapter_config.json").read_text())
        tensors = load_file(Path(path) / "adapter_model.safetensors")
        scale = config["lora_alpha"] / config["r"]
        layers = {}
        for key, a in tensors.items():
            if ".lora_A." not in key:
                continue
            b = tensors[key.replace("lora_A", "lora_B")]
            place = key.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
            layer = self._base.get_submodule(place)
            if (b.shape[0], a.shape[1]) != tuple(layer.weight.shape):
                raise RuntimeError(f"{place} has another shape")
            layers[place] = (a, b * scale)
        for place in layers.keys() - self._hooked:
            self._base.get_submodule(place).register_forward_hook(self._hook(place))
            self._hooked.add(place)
        self._adapters[name] = layers

    def _hook(self, place):
        def add_update(module, args, output):
            pair = self._adapters.get(self._on, {}).get(place)
            return output if pair is None else output + args[0] @ pair[0].T @ pair[1].T

        return add_update

    def using(self, name):
        return _Block(self, name)
