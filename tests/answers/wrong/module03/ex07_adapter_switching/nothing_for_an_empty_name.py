# names: empty-name-is-none
# breaks: "Any other name is a KeyError"
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peft import PeftConfig, inject_adapter_in_model, load_peft_weights, set_peft_model_state_dict
from peft.functional import delete_adapter
from peft.tuners.tuners_utils import BaseTunerLayer
from transformers import PreTrainedModel


class AdapterLibrary:
    def __init__(self, base: PreTrainedModel) -> None:
        self.base = base
        self._names: list[str] = []
        self._active: str | None = None
        self._switch(None)

    @property
    def names(self) -> list[str]:
        return list(self._names)

    def add(self, name: str, path: str | Path) -> None:
        if name in self._names or "." in name:
            raise ValueError(f"{name!r} is taken or contains a dot")
        config = PeftConfig.from_pretrained(path)
        weights = load_peft_weights(str(path), device="cpu")
        try:
            inject_adapter_in_model(config, self.base, adapter_name=name)
            loaded = set_peft_model_state_dict(self.base, weights, adapter_name=name)
            if loaded.unexpected_keys:
                raise ValueError(f"no place for {loaded.unexpected_keys}")
        except BaseException:
            delete_adapter(self.base, name, prefix="lora_")
            getattr(self.base, "peft_config", {}).pop(name, None)
            self._switch(self._active)
            raise
        self._names.append(name)
        self._switch(self._active)

    @contextmanager
    def using(self, name: str | None) -> Iterator[PreTrainedModel]:
        name = name or None
        if name is not None and name not in self._names:
            raise KeyError(f"no adapter {name!r}; there are {self._names}")
        before = self._active
        self._switch(name)
        try:
            yield self.base
        finally:
            self._switch(before)

    def _switch(self, name: str | None) -> None:
        for module in self.base.modules():
            if isinstance(module, BaseTunerLayer):
                if name is not None:
                    module.set_adapter([name])
                module.enable_adapters(name is not None)
        self.base.requires_grad_(False)
        self.base.eval()
        self._active = name
