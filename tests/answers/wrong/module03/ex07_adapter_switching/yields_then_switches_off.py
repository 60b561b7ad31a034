# names: not-back-after-exception
# breaks: "The same is true of a block left by an exception"
"""The whole of it by peft's layers, but what stands after the yield is not in a finally."""

from contextlib import contextmanager

from peft import PeftConfig, inject_adapter_in_model, load_peft_weights, set_peft_model_state_dict
from peft.functional import delete_adapter
from peft.tuners.lora import LoraLayer


class AdapterLibrary:
    def __init__(self, base):
        self.base, self.list, self.stack = base.eval().requires_grad_(False), [], [None]

    @property
    def names(self):
        return [*self.list]

    def add(self, name, path):
        if name in self.list:
            raise ValueError(f"{name} is taken")
        if "." in name:
            raise ValueError(f"{name} has a dot")
        config = PeftConfig.from_pretrained(path)
        weights = load_peft_weights(path, device="cpu")
        inject_adapter_in_model(config, self.base, name)
        try:
            set_peft_model_state_dict(self.base, weights, name)
        except RuntimeError:
            delete_adapter(self.base, name, "lora_")
            self.update()
            raise
        self.list.append(name)
        self.update()

    def update(self):
        top = self.stack[-1]
        for m in self.base.modules():
            if isinstance(m, LoraLayer):
                m.set_adapter([top] if top else [])
                m.enable_adapters(bool(top))
        self.base.eval()
        self.base.requires_grad_(False)

    @contextmanager
    def using(self, name):
        if name not in [None, *self.list]:
            raise KeyError(f"{name}? There are {self.list}")
        self.stack.append(name)
        self.update()
        yield self.base
        self.stack.pop()
        self.update()
