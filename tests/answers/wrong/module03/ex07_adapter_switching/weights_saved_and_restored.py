# names: weights-overwritten
# breaks: "its weight tensors stay the same tensors and are never written to"
"""Merges into the base and puts a saved copy of the weights back: exact, but it writes to the base."""

from contextlib import contextmanager

from peft import LoraConfig, load_peft_weights


class AdapterLibrary:
    def __init__(self, base):
        self.base = base.eval().requires_grad_(False)
        self.saved = {key: value.clone() for key, value in base.state_dict().items()}
        self.updates = {}
        self.active = None

    @property
    def names(self):
        return list(self.updates)

    def add(self, name, path):
        if name in self.updates or "." in name:
            raise ValueError(f"bad name {name}")
        config, weights = LoraConfig.from_pretrained(path), load_peft_weights(path, device="cpu")
        update = {}
        for key, a in weights.items():
            if "lora_A" in key:
                place = key.removeprefix("base_model.model.").replace(".lora_A", "")
                update[place] = config.lora_alpha / config.r * weights[key.replace("lora_A", "lora_B")] @ a
                if update[place].shape != self.saved[place].shape:
                    raise ValueError("wrong shape")
        self.updates[name] = update

    def write(self, name):
        self.active = name
        new = dict(self.saved)
        for place, update in self.updates.get(name, {}).items():
            new[place] = new[place] + update
        self.base.load_state_dict(new)

    @contextmanager
    def using(self, name):
        if name is not None and name not in self.updates:
            raise KeyError(f"{name} not in {self.names}")
        outer = self.active
        self.write(name)
        try:
            yield self.base
        finally:
            self.write(outer)
