# names: language-model-taken-for-granted
# breaks: "a transformers model without any adapter, in any mode"
# The wrapper is that of language models, so other models cannot be wrapped.

import contextlib
import warnings

from peft import PeftConfig, PeftModelForCausalLM


class AdapterLibrary:
    def __init__(self, base):
        self.base = base
        self.wrapped = None
        self.order = []
        self.on = []  # the names of the open blocks, the innermost last
        self._settle()

    def _settle(self):
        name = self.on[-1] if self.on else None
        if self.wrapped is not None:
            if name is None:
                self.wrapped.base_model.disable_adapter_layers()
            else:
                self.wrapped.base_model.enable_adapter_layers()
                self.wrapped.set_adapter(name)
        for parameter in self.base.parameters():
            parameter.requires_grad = False
        self.base.train(False)

    @property
    def names(self):
        return self.order[:]

    def add(self, name, path):
        if "." in name:
            raise ValueError(f"no dots in names, please: {name}")
        if name in self.order:
            raise ValueError(f"{name} is taken")
        path = str(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self.wrapped is None:
                model = PeftModelForCausalLM(self.base, PeftConfig.from_pretrained(path), adapter_name=name)
                try:
                    model.load_adapter(path, adapter_name=name)
                except BaseException:
                    model.unload()
                    if hasattr(self.base, "peft_config"):
                        del self.base.peft_config
                    self._settle()
                    raise
                self.wrapped = model
            else:
                try:
                    self.wrapped.load_adapter(path, adapter_name=name)
                except BaseException:
                    if name in self.wrapped.peft_config:
                        self.wrapped.delete_adapter(name)
                    self._settle()
                    raise
        self.order += [name]
        self._settle()

    @contextlib.contextmanager
    def using(self, name):
        if name not in [None, *self.order]:
            raise KeyError(name, "known: " + ", ".join(self.order))
        self.on.append(name)
        with contextlib.ExitStack() as stack:
            stack.callback(self._settle)
            stack.callback(self.on.pop)
            self._settle()
            yield self.wrapped or self.base
