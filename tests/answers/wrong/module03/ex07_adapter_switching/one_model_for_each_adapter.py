# names: base-copied
# breaks: "The given `base` object is used itself, not a copy."
"""Each adapter gets a whole model of its own."""

from contextlib import contextmanager
from copy import deepcopy

from peft import PeftModel


class AdapterLibrary:
    def __init__(self, base):
        self.base = base.eval().requires_grad_(False)
        self.models = {}

    @property
    def names(self):
        return list(self.models)

    def add(self, name, path):
        if name in self.models or "." in name:
            raise ValueError(f"bad name {name}")
        self.models[name] = PeftModel.from_pretrained(deepcopy(self.base), path).eval()

    @contextmanager
    def using(self, name):
        if name is None:
            yield self.base
        elif name in self.models:
            yield self.models[name]
        else:
            raise KeyError(f"{name} not in {self.names}")
