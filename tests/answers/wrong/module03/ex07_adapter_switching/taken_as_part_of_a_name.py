# names: taken-as-part-of-a-name
# breaks: "A name that is taken"
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peft import PeftConfig, inject_adapter_in_model, load_peft_weights, set_peft_model_state_dict
from peft.functional import delete_adapter
from peft.tuners.tuners_utils import BaseTunerLayer
from transformers import PreTrainedModel


class AdapterLibrary:
    def __init__(self, base: PreTrainedModel) -> None:
        self._base = base
        self._names = []
        self._on = None
        base.requires_grad_(False)
        base.eval()

    @property
    def names(self) -> list[str]:
        return list(self._names)

    def add(self, name: str, path: str | Path) -> None:
        if any(name in taken for taken in self._names):
            raise ValueError(f"there is an adapter {name!r} already")
        if "." in name:
            raise ValueError(f"no dot is allowed in the name of an adapter: {name!r}")
        config = PeftConfig.from_pretrained(str(path))
        weights = load_peft_weights(str(path), device="cpu")
        try:
            inject_adapter_in_model(config, self._base, adapter_name=name)
            set_peft_model_state_dict(self._base, weights, adapter_name=name)
        except BaseException:
            delete_adapter(self._base, name, prefix="lora_")
            raise
        finally:
            self._switch(self._on)
        self._names.append(name)

    @contextmanager
    def using(self, name: str | None) -> Iterator[PreTrainedModel]:
        if name is not None and name not in self._names:
            raise KeyError(f"no adapter {name!r}; there are {self._names}")
        before = self._on
        self._switch(name)
        try:
            yield self._base
        finally:
            self._switch(before)

    def _switch(self, name: str | None) -> None:
        self._on = name
        for module in self._base.modules():
            if isinstance(module, BaseTunerLayer):
                if name is not None and name in module.lora_A:
                    module.set_adapter(name)
                    module.enable_adapters(True)
                else:
                    module.enable_adapters(False)
        self._base.requires_grad_(False)
        self._base.eval()
