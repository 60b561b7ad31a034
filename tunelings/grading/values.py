"""A value on one line of a failure: a number, a list or a tensor, and of a long one the part that differs."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from tunelings.grading.text import cut

_SHOWN = 8  # numbers of a tensor on one line


def value_text(value: Any, other: Any = None, *, quoted: bool = False) -> str:
    """A value on one line: four significant digits, and of a long one the part that differs from `other`.

    A text that is data and not prose stands in quotes (`quoted`) where it could be taken for a number.
    """
    if isinstance(value, Tensor):
        return _tensor_text(value.detach(), other)
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, float):
        return _digits(value)
    if isinstance(value, str):
        return _string_text(value, other, quoted)
    if isinstance(value, list | tuple) and value:
        return _list_text(value, other)
    return cut(repr(value))


def _string_text(value: str, other: Any, quoted: bool) -> str:
    texts = [value, other] if isinstance(other, str) else [value]
    if quoted and _is_number(other) or any(t != t.strip() or not t.isprintable() or not t for t in texts):
        texts = [repr(text) for text in texts]
    start = 0
    if len(texts) == 2 and len(texts[0]) > 84:
        start = max(0, _first_difference(*texts) - 60)
    return ("…" if start else "") + cut(texts[0][start:])


def _list_text(value: list | tuple, other: Any) -> str:
    numbers = all(_is_number(part) for part in value)
    start = 0
    if isinstance(other, list | tuple) and len(value) > _SHOWN:
        start = max(0, _first_difference(value, other) - _SHOWN + 1)
    parts = [value_text(part) if numbers else repr(part) for part in value[start : start + _SHOWN]]
    text = ", ".join(parts) + (", …" if len(value) > start + _SHOWN else "")
    left, right = "()" if isinstance(value, tuple) and not numbers else "[]"
    return (f"from [{start}] " if start else "") + cut(f"{left}{text}{right}")


def _first_difference(value: Any, other: Any) -> int:
    """Where two lists or texts part; of numbers, where it shows."""
    pairs = list(zip(value, other, strict=False))
    if all(_is_number(a) and _is_number(b) for a, b in pairs):
        distances = [math.inf if math.isnan(a - b) else abs(a - b) for a, b in pairs]
        apparent = max(distances, default=0.0) * 1e-3
        return next((i for i, d in enumerate(distances) if d and d >= apparent), len(pairs))
    return next((i for i, (a, b) in enumerate(pairs) if repr(a) != repr(b)), len(pairs))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _tensor_text(value: Tensor, other: Any) -> str:
    if value.device.type == "meta" or value.numel() == 0:
        return f"a tensor of shape {list(value.shape)} on {value.device}"
    value = value.to("cpu")
    if value.dim() == 0:
        return value_text(value.item())
    row, prefix = _row_that_differs(value, other)
    part = ", ".join(_cell(number) for number in row[:_SHOWN].tolist())
    return f"{prefix}[{part}{', …' if row.numel() > _SHOWN else ''}]"


def _cell(number: float | int | bool) -> str:
    return f"{value_text(number):>6}" if isinstance(number, float) else str(number)


def _row_that_differs(value: Tensor, other: Any) -> tuple[Tensor, str]:
    """The last-dimension row of `value` that holds the first difference, and its index as text."""
    rows = value.reshape(-1, value.shape[-1])
    index = start = 0
    if isinstance(other, Tensor) and other.shape == value.shape:
        differs = (value != other.detach().to("cpu")).reshape(rows.shape)
        scaled = (rows.double() - other.detach().cpu().double().reshape(rows.shape)).abs().nan_to_num(nan=math.inf)
        largest = scaled.max()
        apparent = differs & (scaled >= largest * 1e-3)
        if apparent.any():
            index, column = (int(i) for i in apparent.nonzero()[0])
            start = max(0, column - _SHOWN + 1)
    if value.dim() == 1:
        return rows[0, start:], f"from [{start}] " if start else ""
    place = torch.unravel_index(torch.tensor(index), value.shape[:-1])
    numbers = ", ".join(str(int(i)) for i in place)
    return rows[index, start:], f"at [{numbers}, {start}:] " if start else f"at [{numbers}] "


def _digits(number: float) -> str:
    if not math.isfinite(number):
        return str(number)
    if number == 0 or 1e-4 <= abs(number) < 1e6:
        decimals = max(0, min(6, 3 - math.floor(math.log10(abs(number))))) if number else 1
        return f"{number:.{decimals}f}"
    return f"{number:.3e}"
