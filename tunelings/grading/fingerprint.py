"""Values in a form that can be stored and compared up to rounding."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

RANDOM = {"random": True}
# In float64 nothing changed between 1e-12 and 1e-3 when this was tried on 74 wrong answers.
_RTOL = {"float64": 1e-6, "float32": 1e-4, "bfloat16": 3e-2, "float16": 3e-3}
_MOST = 256


def fingerprint(value: Any) -> Any:
    """`value` as JSON: tensors and numbers by content, containers by their parts, the rest by type."""
    if isinstance(value, Tensor):
        return _tensor_print(value.detach())
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return {"dtype": "float64", "shape": [], "data": [_plain(float(value))]}
    if isinstance(value, dict):
        return {"keys": {str(key): fingerprint(part) for key, part in value.items()}}
    if isinstance(value, list | tuple | set | frozenset):
        parts = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
        return [fingerprint(part) for part in list(parts)[:_MOST]]
    return f"<{type(value).__name__}>"


def _tensor_print(value: Tensor) -> dict:
    dtype = str(value.dtype).removeprefix("torch.")
    shape = list(value.shape)
    if value.device.type == "meta":
        return {"dtype": dtype, "shape": shape, "data": []}
    flat = value.to("cpu").to(torch.float64).flatten()
    step = max(1, math.ceil(flat.numel() / _MOST))
    data = flat[::step].tolist()
    if step > 1:
        data += [float(flat.sum()), float(flat.norm())]
    return {"dtype": dtype, "shape": shape, "data": [_plain(number) for number in data]}


def _plain(number: float) -> float | str:
    return number if math.isfinite(number) else str(number)


def agree(a: Any, b: Any) -> bool:
    """Two fingerprints are the same up to rounding."""
    if isinstance(a, dict) and isinstance(b, dict):
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
