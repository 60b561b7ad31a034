"""A value on one line of a failure: a number, a list or a tensor, safe to print whatever an answer made of it."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Set
from types import SimpleNamespace
from typing import Any

import numpy as np
from torch import Tensor

from tunelings.grading.text import cut, visible
from tunelings.plain import is_tensor, plain_tensor, safe_repr, unreadable

SHOWN = 8  # parts of a list or of a tensor's row on one line
DIGITS = 4  # significant digits, where they are enough to tell two numbers apart
MOST_DIGITS = 17  # tell any two floats apart
_PART = 40  # characters of a text inside a list
_GIVEN = 300  # characters of an input shown beside a failure
_DECIMAL = 14_000  # bits of the largest number written in decimal: Python's limit is 4300 digits
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+(?=>)")
_MODULE = re.compile(r"\btunelings_answer_\d+_\w+\.")


def value_text(value: Any, digits: int = DIGITS) -> str:
    """A value on one line, with this many significant digits; a text without quotes, if it is plain prose."""
    if is_tensor(value):
        return _tensor_text(plain_tensor(value).detach(), digits)
    if issubclass(type(value), str):
        return cut(repr(str.__str__(value)) if needs_quotes(value) else value)
    return cut(part_text(value, digits))


def needs_quotes(text: str) -> bool:
    """Whether a text could be misread without its quotes: it is empty, ends in blanks, or holds what is not seen."""
    return not text or text != text.strip() or not text.isprintable()


def given_text(given: Any) -> str:
    """The input of a case: a text as it is, a dict of arguments as `name=value, …`, else the value."""
    if given is None:
        return ""
    if isinstance(given, str):
        return cut(visible(given), _GIVEN)
    try:
        if isinstance(given, dict) and all(isinstance(name, str) and name.isidentifier() for name in given):
            return cut(", ".join(f"{name}={part_text(value, most=120)}" for name, value in given.items()), _GIVEN)
        return cut(part_text(given, most=_GIVEN), _GIVEN)
    except Exception:  # An input that the answer has changed into something that can't be shown.
        return cut(visible(repr_text(given)), _GIVEN)


def part_text(value: Any, digits: int = DIGITS, most: int = _PART) -> str:
    """A value as a part of another one: texts in quotes, long ones and long containers cut."""
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return digits_text(float.__float__(value), digits)
    if isinstance(value, int):
        return cut(int_text(value))
    if issubclass(type(value), str):
        return cut(repr(str.__str__(value)), most)
    if is_tensor(value):
        return _small_tensor(plain_tensor(value).detach(), digits)
    if isinstance(value, np.generic):
        plain = value.item()  # A longdouble stays one.
        return cut(repr(value), most) if isinstance(plain, np.generic) else part_text(plain, digits, most)
    if isinstance(value, np.ndarray):
        small = 0 < value.size <= 2 * SHOWN
        return part_text(value.tolist(), digits, most) if small else f"an array of shape {list(value.shape)}"
    if issubclass(type(value), list | tuple):
        return _sequence_text(value, digits, most)
    if isinstance(value, Mapping | Set):
        return _unordered_text(value, digits, most)
    if fields := fields_of(value):
        inner = ", ".join(f"{name}={part_text(part, digits, most)}" for name, part in fields.items())
        return f"{visible(type(value).__name__)}({inner})"
    return cut(visible(object_text(value)), max(most, 84))


def repr_text(value: Any) -> str:
    """repr(value), without addresses in memory and the name that an answer's module is loaded by."""
    return without_module(_ADDRESS.sub("", safe_repr(value)))


def object_text(value: Any) -> str:
    """Likewise, where an object says nothing of itself its class."""
    kind: Any = type(value)
    if kind.__repr__ is object.__repr__:
        return f"an object of class {kind.__name__}"
    return repr_text(value)


def without_module(text: str) -> str:
    """A text that names a class of an answer, without the name that the answer's module is loaded by."""
    return _MODULE.sub("", text)


def int_text(value: int) -> str:
    """All digits of a whole number; hexadecimal ones where Python refuses to write it in decimal."""
    return hex(value) if int.bit_length(value) > _DECIMAL else int.__repr__(value)


def fields_of(value: Any) -> dict[str, Any]:
    """What a dataclass, a named tuple or a namespace holds, by name; nothing of anything else."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if issubclass(type(value), tuple) and isinstance(names := getattr(type(value), "_fields", None), tuple):
        return dict(zip(names, tuple.__iter__(value), strict=False))
    return dict(vars(value)) if isinstance(value, SimpleNamespace) else {}


def parts_of(value: list | tuple) -> list:
    """The parts of a list or tuple, whatever a subclass says of itself."""
    return list(list.__iter__(value)) if isinstance(value, list) else list(tuple.__iter__(value))


def _sequence_text(value: Any, digits: int, most: int) -> str:
    parts = parts_of(value)
    texts = [part_text(part, digits, most) for part in parts[:SHOWN]] + ["…"] * (len(parts) > SHOWN)
    return bracketed(value, ", ".join(texts))


def bracketed(value: Any, inner: str) -> str:
    if issubclass(type(value), list):
        return f"[{inner}]"
    return f"({inner},)" if len(value) == 1 else f"({inner})"


def _unordered_text(value: Any, digits: int, most: int) -> str:
    if isinstance(value, Mapping):
        shown = [f"{part_text(k, digits, most)}: {part_text(v, digits, most)}" for k, v in [*value.items()][:SHOWN]]
    else:
        shown = sorted(part_text(member, digits, most) for member in value)[:SHOWN]
    if not shown:
        return "{}" if isinstance(value, Mapping) else "set()"
    return "{" + ", ".join(shown + ["…"] * (len(value) > SHOWN)) + "}"


def _small_tensor(value: Tensor, digits: int) -> str:
    """All numbers of a small tensor, nested as they are; the shape of another one."""
    if unreadable(value) or value.numel() == 0 or value.numel() > 2 * SHOWN or value.is_complex():
        return _shape_text(value)
    return part_text(value.to("cpu").tolist(), digits)


def _tensor_text(value: Tensor, digits: int) -> str:
    if unreadable(value) or value.numel() == 0:
        return _shape_text(value)
    if value.dim() == 0:
        return part_text(value.item(), digits)
    return row_text(value.to("cpu"), (0,) * value.dim(), digits)


def _shape_text(value: Tensor) -> str:
    kind = "a tensor" if value.device.type == "meta" else unreadable(value) or "a tensor"
    return f"{kind} of shape {list(value.shape)} on {value.device}"


def row_text(value: Tensor | np.ndarray, first: tuple[int, ...], digits: int) -> str:
    """The row of a tensor (along its last dimension) that holds the place `first`, with the row's index."""
    start = max(0, first[-1] - SHOWN + 1)
    row = value[first[:-1]][start:]
    cells = ", ".join(_cell(number, digits) for number in row[:SHOWN].tolist())
    text = f"[{cells}{', …' if len(row) > SHOWN else ''}]"
    if not first[:-1]:
        return (f"from [{start}] " if start else "") + text
    place = ", ".join(map(str, first[:-1]))
    return (f"at [{place}, {start}:] " if start else f"at [{place}] ") + text


def _cell(number: Any, digits: int) -> str:
    return f"{digits_text(number, digits):>6}" if isinstance(number, float) else part_text(number, digits)


def digits_text(number: float, digits: int = DIGITS) -> str:
    """A float with so many significant digits; as a power of ten where it is very small or large."""
    if not math.isfinite(number):
        return str(number)
    if number == 0:
        return "0.0"
    if 1e-4 <= abs(number) < 1e6:
        decimals = max(0, digits - 1 - math.floor(math.log10(abs(number))))
        return f"{number:.{decimals if digits == MOST_DIGITS else min(decimals, max(6, digits))}f}"
    return f"{number:.{digits - 1}e}"
