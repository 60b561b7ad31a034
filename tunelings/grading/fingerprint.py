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

from tunelings.plain import is_tensor, plain_tensor

RANDOM = {"random": True}
# In float64 nothing changed between 1e-12 and 1e-3 when this was tried on 74 wrong answers.
_RTOL = {"float64": 1e-6, "float32": 1e-4, "bfloat16": 3e-2, "float16": 3e-3}
_DIGITS = 5  # of a number that `digest` keeps: more than rounding changes, fewer than two mistakes share
_MOST = 256  # parts of a value that are stored; the others are in a hash, or a sum and a norm


def fingerprint(value: Any) -> Any:
    """`value` as JSON: tensors, arrays and numbers by content, containers by their parts.

    A value of another type has no fingerprint: {"unknown": its type}, which agrees with nothing.
    """
    try:
        return _print(value)
    except KeyboardInterrupt:
        raise
    except BaseException:  # A list that holds itself, or a class of an answer's own that ends all when it is looked at.
        return {"unknown": type(value).__qualname__}


def digest(printed: Any) -> str:
    """16 hex digits, the same for fingerprints that agree but for rounding (nearly always: a digit may tip over)."""
    return _hash(json.dumps(_rounded(printed), sort_keys=True).encode())[:16]


def _rounded(printed: Any) -> Any:
    if isinstance(printed, float):
        return f"{printed + 0.0:.{_DIGITS}g}"  # -0.0 is 0.0
    if isinstance(printed, dict):
        return {name: _rounded(part) for name, part in printed.items()}
    return [_rounded(part) for part in printed] if isinstance(printed, list) else printed


def _print(value: Any) -> Any:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if is_tensor(value):
        return _tensor_print(plain_tensor(value).detach())
    if isinstance(value, np.ndarray | np.generic):
        return _array_print(np.asarray(value))
    if isinstance(value, int | float):
        return {"dtype": "float64", "shape": [], "data": [_plain(_as_float(value))]}
    if isinstance(value, bytes | bytearray):
        return {"bytes": len(value), "hash": _hash(bytes(value))}
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
    """The parts; of a long one the first parts, its length, and of all of them a hash, or sums if they are floats."""
    if len(value) <= _MOST:
        return [_print(part) for part in value]
    printed: dict[str, Any] = {"first": [_print(part) for part in value[:_MOST]], "length": len(value)}
    if all(isinstance(part, int | float) and not isinstance(part, bool) for part in value):
        numbers = torch.tensor([_as_float(part) for part in value], dtype=torch.float64)
        return {**printed, **_summary(numbers, "float64")}
    parts = [_print(part) for part in value]
    if has_unknown(parts):
        return {"unknown": type(value).__qualname__}
    return {**printed, "hash": _hash(json.dumps(parts, sort_keys=True).encode())}


def has_unknown(printed: Any) -> bool:
    """A part of this fingerprint stands for a value that has none."""
    if isinstance(printed, dict):
        return "unknown" in printed or any(has_unknown(part) for part in printed.values())
    return isinstance(printed, list) and any(has_unknown(part) for part in printed)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


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
    printed = {"dtype": dtype, "shape": shape, "data": [_plain(number) for number in flat[::step].tolist()]}
    return printed if step == 1 else {**printed, **_summary(flat, dtype)}


def _summary(flat: Tensor, dtype: str) -> dict:
    """What stands for all numbers of a long value: of whole numbers an exact hash, of others three sums.

    The sums are the plain one, one with weights that rise from 0 to 1 (it tells another order), and the norm.
    """
    if bool((flat == flat.round()).all() & flat.isfinite().all() & (flat.abs() < 2**53).all()):
        return {"hash": _hash(flat.to(torch.int64).numpy().tobytes())}
    weights = torch.linspace(0, 1, flat.numel(), dtype=torch.float64)
    sums = (float(flat.sum()), float((weights * flat).sum()), float(flat.norm()))
    return {"sums": [_plain(number) for number in sums], "of": dtype}


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
        if "data" in a and "data" in b or "sums" in a and "sums" in b:
            return _numbers_agree(a, b)
        return a.keys() == b.keys() and all(agree(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(agree(x, y) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and a == b


def _numbers_agree(a: dict, b: dict) -> bool:
    """The numbers of two tensors or long lists agree, and so does what stands for those that are not stored."""
    names = ("shape", "length", "hash")
    if any(a.get(name) != b.get(name) for name in names) or ("sums" in a) != ("sums" in b):
        return False
    rtol = max(_RTOL.get(one.get("dtype", one.get("of", "")), 1e-6) for one in (a, b))
    if not _close(a.get("data", []), b.get("data", []), rtol) or not agree(a.get("first"), b.get("first")):
        return False
    if "sums" not in a:
        return True
    norms = [one["sums"][-1] for one in (a, b) if not isinstance(one["sums"][-1], str)]
    return _close(a["sums"], b["sums"], rtol, scale=max(norms, default=0.0))


def _close(a: list, b: list, rtol: float, scale: float | None = None) -> bool:
    """Two lists of numbers agree within `rtol` of `scale` (default: their largest); "nan" and "inf" agree as text."""
    if scale is None:
        scale = max((abs(x) for x in a + b if not isinstance(x, str)), default=0.0)
    return len(a) == len(b) and all(
        x == y if isinstance(x, str) or isinstance(y, str) else abs(x - y) <= rtol * scale
        for x, y in zip(a, b, strict=True)
    )
