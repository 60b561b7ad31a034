# names: unlisted
# breaks: "Outside any `using` block, `base(...)` answers, bit for bit, what it answered in eval mode"
"""The wrapper as in the documentation: set_adapter and the model, and disable_adapter() for None."""

from contextlib import contextmanager

from peft import PeftModel


class AdapterLibrary:
    def __init__(self, base):
        self.base = base.eval().requires_grad_(False)
        self.model = None
        self._names = []

    @property
    def names(self):
        return list(self._names)

    def add(self, name, path):
        if name in self._names or "." in name:
            raise ValueError(f"bad name {name}")
        if self.model is None:
            self.model = PeftModel.from_pretrained(self.base, path, adapter_name=name)
        else:
            self.model.load_adapter(path, adapter_name=name)
        self._names.append(name)

    @contextmanager
    def using(self, name):
        if name is None:
            with self.model.disable_adapter():
                yield self.model
            return
        if name not in self._names:
            raise KeyError(f"{name} not in {self._names}")
        self.model.set_adapter(name)
        yield self.model
