"""3.07 · Adapter switching: one base model in memory, many small adapters, and only one of them on at a time.

A LoRA adapter is a few matrices beside the base; switching selects which of them are used and moves no weights.
"""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.nn.functional as F
from peft import PeftConfig, load_peft_weights
from torch import Tensor, nn
from transformers import PreTrainedModel


def _pattern(patterns: dict, where: str, default: float) -> float:
    for pattern, value in (patterns or {}).items():
        if re.fullmatch(rf"(.*\.)?({pattern})", where):
            return value
    return default


class AdapterLibrary:
    """Several LoRA adapters around one base model, and the choice of which one answers.

    The given `base` object is used itself, not a copy. Its layers may be wrapped in place, so that names of its
    parameters change; its weight tensors stay the same tensors and are never written to, not even inside a block
    (nothing is merged). From construction on, it is in eval mode and none of its parameters needs a gradient,
    including those of the adapters: no method of the library leaves it in any other state.

    Outside any `using` block, `base(...)` answers, bit for bit, what it answered in eval mode before construction,
    however many adapters have been added.

    You may use any part of transformers and peft.

    Method: Hu et al., LoRA: Low-Rank Adaptation of Large Language Models (2021), section 4.2 (switching
    tasks), https://arxiv.org/abs/2106.09685; adapter injection as in
    https://huggingface.co/docs/peft/developer_guides/low_level_api
    """

    def __init__(self, base: PreTrainedModel) -> None:
        """Start with no adapters.

        Args:
            base: a transformers model without any adapter, in any mode.
        """
        self._base = base
        self._adapters = {}
        self._on = {}
        self._hooked = set()
        self._rest()

    @property
    def names(self) -> list[str]:
        """The names of the adapters in the order in which they were added; a new list at each call."""
        return list(self._adapters)

    def add(self, name: str, path: str | Path) -> None:
        """Read an adapter into memory. This does not change which adapter answers, if any.

        Args:
            name: a new name. A name that is taken, or that contains a "." (torch allows none in the name of a
                module), is a ValueError whose message contains it.
            path: a folder that peft's `save_pretrained` wrote, with a LoRA adapter for `nn.Linear` layers of this
                base. Rank, lora_alpha and target modules may differ from adapter to adapter. The folder is read
                here, once, and is not needed afterwards.

        If the adapter cannot be read, or does not fit the base, the error of the library that reads it is passed
        on. After any failed add, everything is as before: the names, each adapter, the base; the same name can be
        added again, from another path.
        """
        if name in self._adapters:
            raise ValueError(f"the name {name!r} is taken")
        if "." in name:
            raise ValueError(f"the name {name!r} contains a dot")
        config = PeftConfig.from_pretrained(str(path))
        weights = load_peft_weights(str(path), device="cpu")
        linears = {key: module for key, module in self._base.named_modules() if isinstance(module, nn.Linear)}
        halves: dict[str, dict[str, Tensor]] = {}
        for key, tensor in weights.items():
            match = re.fullmatch(r"(?:base_model\.model\.)?(.+)\.lora_([AB])\.weight", key)
            if match is None or match[1] not in linears:
                raise ValueError(f"{path} does not fit the base: {key}")
            halves.setdefault(match[1], {})[match[2]] = tensor
        if not halves:
            raise ValueError(f"{path} holds no LoRA weights")
        updates = {}
        for where, pair in halves.items():
            layer = linears[where]
            rank = pair["A"].shape[0]
            down = nn.Linear(layer.in_features, rank, bias=False)
            up = nn.Linear(rank, layer.out_features, bias=False)
            down.load_state_dict({"weight": pair["A"]})
            up.load_state_dict({"weight": pair["B"]})
            alpha = _pattern(config.alpha_pattern, where, config.lora_alpha)
            scale = alpha / (math.sqrt(rank) if config.use_rslora else rank)
            device = layer.weight.device
            updates[layer] = (down.weight.detach().to(device), up.weight.detach().to(device), scale)
        for layer in updates:
            if layer not in self._hooked:
                layer.register_forward_hook(self._update)
                self._hooked.add(layer)
        self._adapters[name] = updates
        self._rest()

    @contextmanager
    def using(self, name: str | None) -> Iterator[PreTrainedModel]:
        """Switch an adapter on for the duration of a `with` block.

        Args:
            name: an added adapter, which is then the only one that is on; or None, for the base without any. Any
                other name is a KeyError on entry, whose message contains it and all existing names; in that case
                nothing is switched.

        Yields:
            The model, to be called like the base: with the adapter, y = W x + (lora_alpha / r) B A x in each of its
            target modules. It is the base itself or a module around it.

        Blocks may be nested, also with None and with repeated names. Leaving a block switches back to what was on
        before it: the outer block's adapter, or the base. The same is true of a block left by an exception, and the
        exception propagates to the caller.
        """
        if name is not None and name not in self._adapters:
            raise KeyError(f"no adapter {name!r}; there are {list(self._adapters)}")
        before, self._on = self._on, {} if name is None else self._adapters[name]
        try:
            yield self._base
        finally:
            self._on = before
            self._rest()

    def _update(self, layer: nn.Module, args: tuple, output: Tensor) -> Tensor | None:
        if layer not in self._on:
            return None
        down, up, scale = self._on[layer]
        x = args[0]
        dtype = torch.promote_types(x.dtype, torch.float32)
        update = F.linear(F.linear(x.to(dtype), down.to(dtype)), up.to(dtype)) * scale
        return (output + update).to(output.dtype)

    def _rest(self) -> None:
        self._base.requires_grad_(False)
        self._base.eval()
