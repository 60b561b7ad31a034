"""Copies of what an answer is given, made before the call, and what is different after it.

A snapshot is a flat dict from a place ("fc.weight: requires_grad") to a copy of what was there, so that whatever was
changed is found and named by one loop. An object of a kind that is not known here is an error, never "unchanged".
"""

from __future__ import annotations

import dataclasses
import random
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from tunelings.plain import copied, is_tensor, plain_tensor, same_bits, same_value

# What a call may set in a tokenizer and forget to set back.
_TOKENIZER = (
    "padding_side",
    "truncation_side",
    "model_max_length",
    "model_input_names",
    "special_tokens_map",
    "chat_template",
    "clean_up_tokenization_spaces",
    "add_bos_token",
    "add_eos_token",
)
_STEPS = ("normalizer", "pre_tokenizer", "post_processor", "decoder")  # Of the backend; a setter may replace one.
_HOOKS = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")
_GONE = "nothing of that name"

Entries = Iterator[tuple[str, Any]]


class Same:
    """Stands for an object that must stay the very same one; holding it keeps its id from being used again."""

    def __init__(self, held: Any):
        self.held = held

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.held is other.held

    def __repr__(self) -> str:
        return f"<{type(self.held).__name__} at {id(self.held):#x}>"


@dataclasses.dataclass(frozen=True)
class Change:
    """What is different at one place: what was there before, and what is there now."""

    place: str
    before: Any
    after: Any


def snapshot(given: Any) -> dict[str, Any]:
    """A copy of all that a call could change in `given`, by place.

    Known are: tensors and arrays; nn.Module, optimizers and what else has a state_dict; tokenizers; configs with a
    to_dict; lists, tuples, sets, dicts, dataclasses and namespaces of such; TensorDataset; random generators; a file
    or a folder, by its Path; numbers, texts, None and functions.

    Raises:
        TypeError: something in `given` is of another kind.
    """
    return dict(_entries("", given))


def first_change(before: Mapping[str, Any], given: Any) -> Change | None:
    """The first place at which `given` is no longer what its snapshot holds; None where there is none."""
    after = snapshot(given)
    for place, value in before.items():
        if place not in after:
            return Change(place, value, _GONE)
        if not _is_same(value, after[place]):
            return Change(place, value, after[place])
    return next((Change(place, _GONE, value) for place, value in after.items() if place not in before), None)


def _is_same(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return same_bits(a, b)
    if isinstance(a, float) and isinstance(b, float) and a != a and b != b:
        return True
    return same_value(b, a, exact_types=True)


def _entries(place: str, value: Any) -> Entries:
    if is_tensor(value):
        yield from _of_tensor(place, value)
    elif isinstance(value, nn.Module):
        yield from _of_module(place, value)
    elif isinstance(value, torch.optim.Optimizer):
        yield from _of_optimizer(place, value)
    elif _is_tokenizer(value):
        yield from _of_tokenizer(place, value)
    elif isinstance(value, Mapping):
        yield _named(place, "keys"), list(value)
        for key, part in value.items():
            yield from _entries(_named(place, str(key)), part)
    elif isinstance(value, str | bytes | int | float | complex | np.generic | None | torch.dtype | torch.device):
        yield place, value
    elif isinstance(value, Sequence):
        yield _named(place, "length"), len(value)
        for index, part in enumerate(value):
            yield from _entries(f"{place}[{index}]", part)
    else:
        yield from _of_object(place, value)


def _of_object(place: str, value: Any) -> Entries:
    if isinstance(value, Set | np.ndarray):
        yield place, copied(value)
    elif isinstance(value, Path):
        yield from _of_path(place, value)
    elif isinstance(value, TensorDataset):
        yield from _entries(place, value.tensors)
    elif isinstance(value, random.Random):
        yield _named(place, "state"), value.getstate()
    elif isinstance(value, torch.Generator):
        yield _named(place, "state"), value.get_state()
    elif isinstance(value, np.random.Generator):
        yield from _entries(_named(place, "state"), value.bit_generator.state)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _entries(_named(place, field.name), getattr(value, field.name))
    elif isinstance(value, SimpleNamespace):
        yield from _entries(place, vars(value))
    elif isinstance(value, type):
        yield place, Same(value)
    elif callable(getattr(value, "state_dict", None)):
        yield from _entries(place, value.state_dict())
    elif callable(getattr(value, "to_dict", None)):
        yield from _of_config(place, value)
    elif callable(getattr(value, "to_str", None)):  # A tokenizer of the library tokenizers: its whole JSON.
        yield place, value.to_str()
    elif callable(value):
        yield place, Same(value)
    else:
        raise TypeError(f"{place or 'what is given'}: expect.untouched knows no copy of a {type(value).__name__}")


def _named(place: str, name: str) -> str:
    return f"{place}: {name}" if place else name


def _of_tensor(place: str, value: Tensor) -> Entries:
    value = plain_tensor(value)
    yield place, value.detach().clone()
    yield _named(place, "requires_grad"), value.requires_grad
    if value.is_leaf:
        grad = value.grad
        yield _named(place, ".grad"), None if grad is None else grad.detach().clone()


def _of_module(place: str, module: nn.Module) -> Entries:
    def at(name: str) -> str:
        return _named(place, name) if name else place

    for name, part in module.named_modules(remove_duplicate=False):
        yield at(name), Same(part)
        yield _named(at(name), "training"), part.training
        yield _named(at(name), "hooks"), sum(len(getattr(part, hooks)) for hooks in _HOOKS)
    for name, parameter in module.named_parameters(remove_duplicate=False):
        yield from _of_tensor(at(name), parameter)
        yield _named(at(name), "the Parameter"), Same(parameter)
    for name, buffer in module.named_buffers(remove_duplicate=False):
        yield from _of_tensor(at(name), buffer)
    for name in ("config", "generation_config"):
        config = getattr(module, name, None)
        if callable(getattr(config, "to_dict", None)):
            yield from _of_config(at(name), config)


def _of_config(place: str, config: Any) -> Entries:
    """The settings of a config; those with a leading underscore are notes that libraries make for themselves."""
    yield from _entries(place, {name: value for name, value in config.to_dict().items() if name[:1] != "_"})


def _of_optimizer(place: str, optimizer: torch.optim.Optimizer) -> Entries:
    """The groups with their settings and their very parameters, and the state of each; no parameter's values."""
    numbers: dict[int, str] = {}
    yield _named(place, "the number of groups"), len(optimizer.param_groups)
    for index, group in enumerate(optimizer.param_groups):
        at = _named(place, f"group {index}")
        for name, setting in group.items():
            if name != "params":
                yield from _entries(_named(at, name), setting)
        yield _named(at, "parameters"), [Same(parameter) for parameter in group["params"]]
        numbers |= {id(p): f"{at}: parameter {i}" for i, p in enumerate(group["params"])}
    for parameter, state in optimizer.state.items():
        yield from _entries(f"{numbers.get(id(parameter), 'another parameter')}: state", state)


def _is_tokenizer(value: Any) -> bool:
    transformers = sys.modules.get("transformers")
    return transformers is not None and isinstance(value, transformers.PreTrainedTokenizerBase)


def _of_tokenizer(place: str, tokenizer: Any) -> Entries:
    for name in _TOKENIZER:
        if hasattr(tokenizer, name):
            yield _named(place, name), copied(getattr(tokenizer, name))
    yield _named(place, "vocabulary size"), tokenizer.vocab_size
    yield _named(place, "number of tokens"), len(tokenizer)
    yield _named(place, "added tokens"), dict(tokenizer.get_added_vocab())
    for name in _STEPS:
        step = getattr(getattr(tokenizer, "backend_tokenizer", None), name, None)
        yield _named(place, name), None if step is None else step.__getstate__()


def _of_path(place: str, path: Path) -> Entries:
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path] if path.exists() else []
    yield _named(place, "files"), [file.relative_to(path).as_posix() for file in files]
    for file in files:
        yield _named(place, file.name if file == path else file.relative_to(path).as_posix()), file.read_bytes()
