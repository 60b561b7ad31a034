"""Values in a form that can be stored and compared up to rounding."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence, Set
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

RANDOM = {"random": True}
# In float64 nothing changed between 1e-12 and 1e-3 when this was tried on 74 wrong answers.
_RTOL = {"float64": 1e-6, "float32": 1e-4, "bfloat16": 3e-2, "float16": 3e-3}
_MOST = 256  # parts of a value that are stored; the others are in a hash, or a sum and a norm


def fingerprint(value: Any) -> Any:
    """`value` as JSON: tensors, arrays and numbers by content, containers by their parts.

    A value of another type has no fingerprint: {"unknown": its type}, which agrees with nothing.
    """
    try:
        return _print(value)
    except RecursionError:  # A list that holds itself.
        return {"unknown": type(value).__qualname__}


def _print(value: Any) -> Any:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, Tensor):
        return _tensor_print(value.detach())
    if isinstance(value, np.ndarray | np.generic):
        return _array_print(np.asarray(value))
    if isinstance(value, int | float):
        return {"dtype": "float64", "shape": [], "data": [_plain(_as_float(value))]}
    if isinstance(value, bytes | bytearray):
        return {"bytes": len(value), "hash": hashlib.sha256(value).hexdigest()}
    if isinstance(value, type | torch.dtype | torch.device):
        return f"<{value}>"
    if (fields := _fields(value)) is not None:
        return {"keys": {name: _print(part) for name, part in fields.items()}}
    if isinstance(value, Set):
        return _sequence_print(sorted(value, key=repr))
    if isinstance(value, Sequence):
        return _sequence_print(value)
    return {"unknown": type(value).__qualname__}


def _fields(value: Any) -> dict[str, Any] | None:
    """What a mapping, a dataclass or a namespace holds, by name; None for anything else."""
    if isinstance(value, Mapping):
        return {repr(key.item() if isinstance(key, np.generic) else key): part for key, part in value.items()}
    if dataclasses.is_dataclass(value):
        return {repr(field.name): getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, SimpleNamespace):
        return {repr(name): part for name, part in vars(value).items()}
    return None


def _sequence_print(value: Sequence) -> Any:
    """The parts; of a long one the first parts, its length, and of all of them a hash (numbers: up to rounding)."""
    if len(value) <= _MOST:
        return [_print(part) for part in value]
    printed: dict[str, Any] = {"first": [_print(part) for part in value[:_MOST]], "length": len(value)}
    if all(isinstance(part, int | float) and not isinstance(part, bool) for part in value):
        return {**printed, "all": _tensor_print(torch.tensor([_as_float(part) for part in value], dtype=torch.float64))}
    everything = json.dumps([_print(part) for part in value], sort_keys=True)
    return {**printed, "hash": hashlib.sha256(everything.encode()).hexdigest()}


def _array_print(value: np.ndarray) -> Any:
    """As of a tensor where the array holds numbers, else by its parts."""
    if value.dtype.kind not in "biuf":
        return {"shape": list(value.shape), "parts": _sequence_print(value.reshape(-1).tolist())}
    return {**_tensor_print(torch.from_numpy(value.astype(np.float64))), "dtype": value.dtype.name}


def _tensor_print(value: Tensor) -> dict:
    dtype = str(value.dtype).removeprefix("torch.")
    shape = list(value.shape)
    if value.device.type == "meta":
        return {"dtype": dtype, "shape": shape, "data": []}
    parts = torch.view_as_real(value.resolve_conj()) if value.is_complex() else value
    flat = parts.to("cpu").to(torch.float64).flatten()
    step = max(1, math.ceil(flat.numel() / _MOST))
    data = flat[::step].tolist()
    if step > 1:
        data += [float(flat.sum()), float(flat.norm())]
    return {"dtype": dtype, "shape": shape, "data": [_plain(number) for number in data]}


def _as_float(number: int | float) -> float:
    try:
        return float(number)
    except OverflowError:  # An int beyond 1e308.
        return math.inf if number > 0 else -math.inf


def _plain(number: float) -> float | str:
    return number if math.isfinite(number) else str(number)


def agree(a: Any, b: Any) -> bool:
    """Two fingerprints are the same up to rounding; what has none agrees with nothing, not even with itself."""
    if isinstance(a, dict) and isinstance(b, dict):
        if "unknown" in a or "unknown" in b:
            return False
        if "data" in a and "data" in b:
            return _numbers_agree(a, b)
        return a.keys() == b.keys() and all(agree(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(agree(x, y) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and a == b


def _numbers_agree(a: dict, b: dict) -> bool:
    if a["shape"] != b["shape"] or len(a["data"]) != len(b["data"]):
        return False
    rtol = max(_RTOL.get(a["dtype"], 1e-6), _RTOL.get(b["dtype"], 1e-6))
    numbers = [abs(x) for x in a["data"] + b["data"] if not isinstance(x, str)]
    allowed = rtol * max(numbers, default=0.0)
    return all(
        x == y if isinstance(x, str) or isinstance(y, str) else abs(x - y) <= allowed
        for x, y in zip(a["data"], b["data"], strict=True)
    )
