"""Two values that are not the same, as two lines that show where they part.

Both lines show the same place: the row of a tensor, the window of a list or a text, the keys of a dict that differ.
Numbers get as many digits as it takes, and where two values differ in their type alone, the lines say the type.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Mapping, Set
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from tunelings.grading.text import cut, visible
from tunelings.grading.values import (
    DIGITS,
    SHOWN,
    bracketed,
    fields_of,
    needs_quotes,
    part_text,
    parts_of,
    row_text,
    value_text,
)
from tunelings.plain import is_tensor, plain_tensor, safe_repr, same_value

_WIDE = 84  # characters of a value on its line
_BEFORE = 60  # characters of a text that are shown before the place where it differs
_LONG = 40  # characters from which on a text inside a list is looked into
_MOST_DIGITS = 17  # tell any two floats apart


class Pair(NamedTuple):
    """The two values on a line each, and in words where or in what they part ("" where the lines show it)."""

    expected: str
    got: str
    remark: str = ""


class _Leaf(NamedTuple):
    """The first place where two values part, as deep as it can be told: its path, and what stands there in each."""

    path: str
    expected: Any
    got: Any


def pair_of(expected: Any, got: Any, first: tuple[int, ...] | None = None) -> Pair:
    """The lines of two values that are not the same; `first` is the place where two tensors part, if it is known."""
    try:
        return _pair(expected, got, first)
    except KeyboardInterrupt:
        raise
    except BaseException:  # Whatever a class of the answer's own does when it is looked at, SystemExit too.
        return Pair(cut(visible(safe_repr(expected))), cut(visible(safe_repr(got))))


def _pair(expected: Any, got: Any, first: tuple[int, ...] | None) -> Pair:
    if first is not None:
        e_numbers, g_numbers = _numbers(expected), _numbers(got)
        if e_numbers is not None and g_numbers is not None:
            return _tensor_pair(e_numbers, g_numbers, first)
    exact = same_value(got, expected)  # Then they differ in a type.
    path, e, g = _descended(expected, got, exact)
    leaf = _leaf(e, g, exact)
    pair = _lines(e, g, _enough_digits(leaf), exact)
    if pair.expected == pair.got:
        pair = _with_types(pair, leaf)
    at = f"at {path} " if path else ""
    remark = pair.remark.replace(" at [", f" at {path}[") if path else pair.remark
    return Pair(at + pair.expected, at + pair.got, remark or _types(expected, got))


def _numbers(value: Any) -> Tensor | None:
    if is_tensor(value):
        return plain_tensor(value).detach().to("cpu")
    try:
        tensor = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        return None
    return torch.as_tensor(value, dtype=torch.float64) if tensor.is_floating_point() else tensor


def _tensor_pair(expected: Tensor, got: Tensor, first: tuple[int, ...]) -> Pair:
    digits = _enough_digits(_Leaf("", expected[first].item(), got[first].item()))
    return Pair(row_text(expected, first, digits), row_text(got, first, digits))


# Where two values part.


def _descended(e: Any, g: Any, exact: bool) -> _Leaf:
    """Down to the part that differs, as long as that is a container or a long text in both."""
    path = ""
    while (step := _step(e, g, exact)) and (_is_deep(step.expected) and _is_deep(step.got) or step.path[0] == "."):
        path, e, g = path + step.path, step.expected, step.got
    return _Leaf(path, e, g)


def _leaf(e: Any, g: Any, exact: bool) -> _Leaf:
    """Down to the very first part that differs."""
    path = ""
    while step := _step(e, g, exact):
        path, e, g = path + step.path, step.expected, step.got
    return _Leaf(path, e, g)


def _step(e: Any, g: Any, exact: bool) -> _Leaf | None:
    """Into the first part that differs; None where there is none, or nothing to go into."""
    labeled = _labeled(e, g)
    if labeled is None:
        return None
    differing = ((n, x, y) for n, x, y in labeled if not same_value(y, x, exact_types=exact))
    return next((_Leaf(*one) for one in differing), None)


def _labeled(e: Any, g: Any) -> list[tuple[str, Any, Any]] | None:
    """The parts that two containers of one kind both have, each with its place, such as [3] or ['labels']."""
    if type(e) is type(g) and (fields := fields_of(e)):
        others = fields_of(g)
        return [(f".{name}", part, others[name]) for name, part in fields.items() if name in others]
    for kind in (list, tuple):
        if issubclass(type(e), kind) and issubclass(type(g), kind):
            return [(f"[{i}]", x, y) for i, (x, y) in enumerate(zip(parts_of(e), parts_of(g), strict=False))]
    if isinstance(e, Mapping) and isinstance(g, Mapping):
        if e.keys() != g.keys():
            return None
        return [(f"[{part_text(key)}]", e[key], g[key]) for key in e]
    if is_tensor(e) and is_tensor(g) and e.shape == g.shape and e.dim():
        first = _first_of(plain_tensor(e).detach(), plain_tensor(g).detach())
        return [(str(list(first)), e[first].item(), g[first].item())] if first else None
    return None


def _first_of(e: Tensor, g: Tensor) -> tuple[int, ...] | None:
    differs = (e.to("cpu") != g.to("cpu")).nonzero()
    return tuple(int(i) for i in differs[0]) if len(differs) else None


def _is_deep(value: Any) -> bool:
    if isinstance(value, str | bytes):
        return len(value) > _LONG
    if isinstance(value, Tensor | np.ndarray):
        return value.size != 1 if isinstance(value, np.ndarray) else value.dim() > 0
    return bool(isinstance(value, list | tuple | Mapping) and len(value) or fields_of(value))


def _enough_digits(leaf: _Leaf) -> int:
    """Significant digits with which the two numbers read differently; the usual ones for what is no number."""
    for digits in range(DIGITS, _MOST_DIGITS + 1):
        if part_text(leaf.expected, digits) != part_text(leaf.got, digits):
            return digits
    return DIGITS


# The two lines.


def _lines(e: Any, g: Any, digits: int, exact: bool) -> Pair:
    if is_tensor(e) and is_tensor(g) and e.shape == g.shape and e.dim():
        a, b = plain_tensor(e).detach().to("cpu"), plain_tensor(g).detach().to("cpu")
        if a.device.type != "meta" and (first := _first_of(a, b)):
            return Pair(row_text(a, first, digits), row_text(b, first, digits), f"differs first at {list(first)}")
    if isinstance(e, str) and isinstance(g, str):
        return _text_pair(str.__str__(e), str.__str__(g))
    for kind in (list, tuple):
        if issubclass(type(e), kind) and issubclass(type(g), kind) and len(e) and len(g):
            return _list_pair(e, g, digits, exact)
    if isinstance(e, Mapping) and isinstance(g, Mapping):
        return _dict_pair(e, g, digits, exact)
    if isinstance(e, Set) and isinstance(g, Set):
        return _set_pair(e, g, digits)
    if isinstance(e, bytes) and isinstance(g, bytes):
        return _window(repr(e), repr(g))
    texts = value_text(e, digits), value_text(g, digits)
    if all(len(text) >= _WIDE for text in texts):
        return _window(visible(safe_repr(e)), visible(safe_repr(g)))
    if isinstance(g, str):
        texts = texts[0], cut(repr(str.__str__(g)))  # A text where none should be could be taken for a number.
    return Pair(*texts)


def _text_pair(e: str, g: str) -> Pair:
    """Two texts from a little before the place where they part, in quotes where one of them could be misread."""
    where = _first_apart(e, g)
    remark = f"differs first at character {where}" if max(len(e), len(g)) > _LONG else ""
    if unicodedata.normalize("NFKC", e) == unicodedata.normalize("NFKC", g):
        e, g = ascii(e), ascii(g)  # They would look alike.
    elif needs_quotes(e) or needs_quotes(g):
        e, g = repr(e), repr(g)
    return _window(e, g)._replace(remark=remark)


def _window(e: str, g: str) -> Pair:
    start = max(0, _first_apart(e, g) - _BEFORE) if max(len(e), len(g)) > _WIDE else 0
    mark = "…" if start else ""
    return Pair(mark + cut(e[start:]), mark + cut(g[start:]))


def _first_apart(e: str, g: str) -> int:
    apart = (i for i, (x, y) in enumerate(zip(e, g, strict=False)) if x != y)
    return next(apart, min(len(e), len(g)))


def _list_pair(e: Any, g: Any, digits: int, exact: bool) -> Pair:
    """Two lists or tuples from the same place on, so that the first part that differs is in both lines."""
    step = _step(e, g, exact)
    where = int(step.path[1:-1]) if step and step.path[0] == "[" else min(len(e), len(g))
    texts = [[part_text(part, digits) for part in itertools.islice(parts_of(v), where + SHOWN)] for v in (e, g)]
    start = max(0, where - SHOWN + 1)
    while start < where and max(len(", ".join(t[start : where + 1])) for t in texts) > _WIDE - 4:
        start += 1
    shown = []
    for value, text in zip((e, g), texts, strict=True):
        inner = ", ".join(text[start : start + SHOWN]) + (", …" if len(value) > start + SHOWN else "")
        shown.append((f"from [{start}] " if start else "") + cut(bracketed(value, inner)))
    if len(e) != len(g) and not step:
        return Pair(shown[0], shown[1], f"length {len(g)}, expected length {len(e)}")
    return Pair(shown[0], shown[1], f"differs first at [{where}]" if max(len(e), len(g)) > 1 else "")


def _dict_pair(e: Mapping, g: Mapping, digits: int, exact: bool) -> Pair:
    """The entries that differ, and the keys that only one of the two has."""
    missing, additional = [k for k in e if k not in g], [k for k in g if k not in e]
    differing = [k for k in e if k in g and not same_value(g[k], e[k], exact_types=exact)]
    all_shown = len(missing) + len(differing) == len(e), len(additional) + len(differing) == len(g)
    lines = [
        _entries(value, [*keys, *differing], digits, whole)
        for value, keys, whole in ((e, missing, all_shown[0]), (g, additional, all_shown[1]))
    ]
    return Pair(lines[0], lines[1], _only_in_one(missing, additional))


def _entries(value: Mapping, keys: list, digits: int, whole: bool) -> str:
    shown = [f"{part_text(key)}: {part_text(value[key], digits)}" for key in keys[:SHOWN]]
    return cut("{" + ", ".join(shown + ["…"] * (not whole or len(keys) > SHOWN)) + "}")


def _set_pair(e: Set, g: Set, digits: int) -> Pair:
    missing, additional = sorted(e - g, key=safe_repr), sorted(g - e, key=safe_repr)
    common = sorted(e & g, key=safe_repr)
    lines = []
    for own in (missing, additional):
        shown = [part_text(member, digits) for member in [*own, *common][:SHOWN]]
        lines.append(cut("{" + ", ".join(shown + ["…"] * (len(own) + len(common) > SHOWN)) + "}"))
    return Pair(lines[0], lines[1], _only_in_one(missing, additional))


def _only_in_one(missing: list, additional: list) -> str:
    said = [
        f"{word}: {', '.join(map(part_text, keys[:4]))}{', …' if len(keys) > 4 else ''}"
        for word, keys in (("missing", missing), ("additional", additional))
        if keys
    ]
    return "; ".join(said)


# Types, where they are what differs.


def _with_types(pair: Pair, leaf: _Leaf) -> Pair:
    e, g = _type_text(leaf.expected), _type_text(leaf.got)
    if e == g:
        return pair._replace(remark="the two look the same here, but differ")
    at = f"{leaf.path}: " if leaf.path else ""
    return Pair(f"{pair.expected} ({at}{e})", f"{pair.got} ({at}{g})", pair.remark)


def _type_text(value: Any) -> str:
    if is_tensor(value):
        return f"tensor of {str(value.dtype).removeprefix('torch.')}, shape {list(value.shape)}"
    if isinstance(value, np.ndarray):
        return f"array of {value.dtype}, shape {list(value.shape)}"
    kind = type(value)
    return visible(kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}")


def _types(expected: Any, got: Any) -> str:
    """The types of two values of different kinds; "" where they have one kind, or `expected` is a description."""
    if isinstance(expected, str) or got is None or _kind(expected) == _kind(got):
        return ""
    return visible(f"type {type(got).__name__}, expected type {type(expected).__name__}")


def _kind(value: Any) -> Any:
    kinds: tuple[Any, ...] = (int | float | np.number, str, bytes, list, tuple, Mapping, Set, Tensor, np.ndarray)
    return next((kind for kind in kinds if isinstance(value, kind)), type(value))
