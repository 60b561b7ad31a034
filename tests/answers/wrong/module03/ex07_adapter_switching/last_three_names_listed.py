# names: unlisted
# breaks: "whose message contains it and all existing names"
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
        self._switch_to(None)

    @property
    def names(self) -> list[str]:
        return list(self._names)

    def add(self, name: str, path: str | Path) -> None:
        if name in self._names or "." in name:
            raise ValueError(f"{name!r} cannot be added: the name is taken or holds a dot")
        config, weights = (PeftConfig.from_pretrained(path), load_peft_weights(path))
        try:
            inject_adapter_in_model(config, self.base, name)
            set_peft_model_state_dict(self.base, weights, name)
        except Exception:
            delete_adapter(self.base, name, prefix="lora_")
            raise
        finally:
            self._switch_to(self._active)
        self._names.append(name)

    @contextmanager
    def using(self, name: str | None) -> Iterator[PreTrainedModel]:
        if name is not None and name not in self._names:
            raise KeyError(f"there is no adapter {name!r}, only {self._names[-3:]}")
        outer = self._active
        self._switch_to(name)
        try:
            yield self.base
        finally:
            self._switch_to(outer)

    def _switch_to(self, name: str | None) -> None:
        for layer in self.base.modules():
            if isinstance(layer, BaseTunerLayer):
                layer.set_adapter([] if name is None else [name])
        self.base.requires_grad_(False).eval()
        self._active = name
