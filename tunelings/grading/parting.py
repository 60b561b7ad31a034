"""Two values that are not the same, as two lines that show where they part.

Both lines show the same place: the row of a tensor, the window of a list or a text, the keys of a dict that differ.
Numbers get as many digits as it takes, and where two values differ in their type alone, the lines say the type.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Set
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tunelings.expect import Described
from tunelings.grading.alike import (
    BOTH_NAN,
    LONG,
    WIDE,
    Leaf,
    Pair,
    characters,
    characters_of_keys,
    int_pair,
    text_pair,
    texts_apart,
    told_apart,
    window,
)
from tunelings.grading.text import cut, visible
from tunelings.grading.values import (
    DIGITS,
    MOST_DIGITS,
    SHOWN,
    bracketed,
    fields_of,
    object_text,
    part_text,
    parts_of,
    repr_text,
    row_text,
    value_text,
)
from tunelings.plain import is_tensor, plain_tensor, safe_repr, same_value, unreadable


def pair_of(expected: Any, got: Any, first: tuple[int, ...] | None = None) -> Pair:
    """The lines of two values that are not the same; `first` is the place where two tensors part, if it is known."""
    try:
        return _pair(expected, got, first)
    except KeyboardInterrupt:
        raise
    except BaseException:  # Whatever a class of the answer's own does when it is looked at, SystemExit too.
        return Pair(cut(visible(repr_text(expected))), cut(visible(repr_text(got))))


def _pair(expected: Any, got: Any, first: tuple[int, ...] | None) -> Pair:
    if isinstance(expected, Described):
        return Pair(value_text(expected), value_text(got))
    if first is not None:
        e_numbers, g_numbers = _numbers(expected), _numbers(got)
        if e_numbers is not None and g_numbers is not None:
            return _tensor_pair(e_numbers, g_numbers, first)
    exact = same_value(got, expected)  # Then they differ in a type.
    path, e, g = _descended(expected, got, exact)
    leaf = _leaf(e, g, exact)
    pair = _lines(e, g, _enough_digits(leaf), exact)
    deeper, pair = told_apart(pair, leaf, exact) if pair.expected == pair.got else ("", pair)
    remark = pair.remark.replace(" at [", f" at {path}[") if path else pair.remark
    remark = _with_characters(pair._replace(remark=remark), leaf, path, bool(deeper))
    at = f"at {path}{deeper} " if path or deeper else ""
    return Pair(at + pair.expected, at + pair.got, remark or _types(expected, got))


def _with_characters(pair: Pair, leaf: Leaf, path: str, at_leaf: bool) -> str:
    """The remark, with the code points of the characters in which two texts, keys or members part, if it takes them."""
    if f"{pair.expected}{pair.got}".replace("…", "").isascii():
        return pair.remark
    e, g = leaf.expected, leaf.got
    if said := characters(e, g):
        place = "" if at_leaf or not leaf.path else f"{path}{leaf.path}, "
        return f"differs first at {place}{said}"
    for kind in (Mapping, Set):
        if isinstance(e, kind) and isinstance(g, kind):
            said = characters_of_keys([k for k in e if k not in g], [k for k in g if k not in e])
    return f"{pair.remark}, which differ first at {said}" if said else pair.remark


def _numbers(value: Any) -> Tensor | None:
    if is_tensor(value):
        return plain_tensor(value).detach().to("cpu")
    try:
        tensor = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        return None
    return torch.as_tensor(value, dtype=torch.float64) if tensor.is_floating_point() else tensor


def _tensor_pair(expected: Tensor, got: Tensor, first: tuple[int, ...]) -> Pair:
    e, g = expected[first].item(), got[first].item()
    digits = _enough_digits(Leaf("", e, g))
    remark = BOTH_NAN if e != e and g != g else ""
    return Pair(row_text(expected, first, digits), row_text(got, first, digits), remark)


# Where two values part.


def _descended(e: Any, g: Any, exact: bool) -> Leaf:
    """Down to the part that differs, as long as that is a container or a long text in both."""
    path = ""
    while (step := _step(e, g, exact)) and (_is_deep(step.expected) and _is_deep(step.got) or step.path[0] == "."):
        path, e, g = path + step.path, step.expected, step.got
    return Leaf(path, e, g)


def _leaf(e: Any, g: Any, exact: bool) -> Leaf:
    """Down to the very first part that differs."""
    path = ""
    while step := _step(e, g, exact):
        path, e, g = path + step.path, step.expected, step.got
    return Leaf(path, e, g)


def _step(e: Any, g: Any, exact: bool) -> Leaf | None:
    """Into the first part that differs; None where there is none, or nothing to go into."""
    labeled = _labeled(e, g)
    if labeled is None:
        return None
    differing = ((n, x, y) for n, x, y in labeled if not same_value(y, x, exact_types=exact))
    return next((Leaf(*one) for one in differing), None)


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
    if rows := _rows(e, g):
        first = _first_of(*rows)
        return [(str(list(first)), _member(rows[0], first), _member(rows[1], first))] if first else None
    return None


def _rows(e: Any, g: Any) -> tuple[Any, Any] | None:
    """Two tensors or arrays of one shape and at least one dimension, where their numbers can be read."""
    if is_tensor(e) and is_tensor(g):
        tensors = [plain_tensor(one).detach() for one in (e, g)]
        readable = all(one.dim() and not unreadable(one) for one in tensors)
        return (tensors[0].to("cpu"), tensors[1].to("cpu")) if readable and e.shape == g.shape else None
    if isinstance(e, np.ndarray) and isinstance(g, np.ndarray) and e.ndim and e.shape == g.shape:
        return e, g
    return None


def _first_of(e: Any, g: Any) -> tuple[int, ...] | None:
    """The first place where two tensors or arrays part; two nan part there only where nothing else does."""
    differs, both_nan = e != g, (e != e) & (g != g)
    for parted in (differs & ~both_nan, differs):
        places = parted.nonzero() if isinstance(e, Tensor) else np.argwhere(parted)
        if len(places):
            return tuple(int(i) for i in places[0])
    return None


def _member(value: Any, place: tuple[int, ...]) -> Any:
    """One number of a tensor or an array as Python's own; of an array of objects the object."""
    one = value[place]
    return one.item() if isinstance(one, Tensor | np.generic) else one


def _is_deep(value: Any) -> bool:
    if isinstance(value, str | bytes):
        return len(value) > LONG
    if isinstance(value, Tensor | np.ndarray):
        return value.size != 1 if isinstance(value, np.ndarray) else value.dim() > 0
    return bool(isinstance(value, list | tuple | Mapping | Set) and len(value) or fields_of(value))


def _enough_digits(leaf: Leaf) -> int:
    """Significant digits with which the two numbers read differently; the usual ones for what is no number."""
    for digits in range(DIGITS, MOST_DIGITS + 1):
        if part_text(leaf.expected, digits) != part_text(leaf.got, digits):
            return digits
    return DIGITS


# The two lines.


def _lines(e: Any, g: Any, digits: int, exact: bool) -> Pair:
    if (rows := _rows(e, g)) and (first := _first_of(*rows)):
        ours, theirs = (row_text(one, first, digits) for one in rows)
        return Pair(ours, theirs, f"differs first at {list(first)}")
    if isinstance(e, str) and isinstance(g, str):
        return text_pair(str.__str__(e), str.__str__(g))
    for kind in (list, tuple):
        if issubclass(type(e), kind) and issubclass(type(g), kind) and len(e) and len(g):
            return _list_pair(e, g, digits, exact)
    if isinstance(e, Mapping) and isinstance(g, Mapping):
        return _dict_pair(e, g, digits, exact)
    if isinstance(e, Set) and isinstance(g, Set):
        return _set_pair(e, g, digits)
    if isinstance(e, bytes) and isinstance(g, bytes):
        return window(repr(e), repr(g))
    texts = value_text(e, digits), value_text(g, digits)
    if all(len(text) >= WIDE for text in texts):
        if isinstance(e, int) and isinstance(g, int):
            return int_pair(e, g)
        return window(visible(object_text(e)), visible(object_text(g)))
    if isinstance(g, str):
        texts = texts[0], cut(repr(str.__str__(g)))  # A text where none should be could be taken for a number.
    return Pair(*texts)


def _list_pair(e: Any, g: Any, digits: int, exact: bool) -> Pair:
    """Two lists or tuples from the same place on, so that the first part that differs is in both lines."""
    step = _step(e, g, exact)
    where = int(step.path[1:-1]) if step and step.path[0] == "[" else min(len(e), len(g))
    texts = [[part_text(part, digits) for part in itertools.islice(parts_of(v), where + SHOWN)] for v in (e, g)]
    start = max(0, where - SHOWN + 1)
    while start < where and max(len(", ".join(t[start : where + 1])) for t in texts) > WIDE - 4:
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
    names = texts_apart(missing[:SHOWN], g), texts_apart(additional[:SHOWN], e)
    lines = [
        _entries(value, [*keys, *differing], own, digits, whole)
        for value, keys, own, whole in zip((e, g), (missing, additional), names, all_shown, strict=True)
    ]
    return Pair(lines[0], lines[1], _only_in_one(*names))


def _entries(value: Mapping, keys: list, names: list[str], digits: int, whole: bool) -> str:
    """Some entries of a dict; the first keys are shown by `names`."""
    names = [*names, *map(part_text, keys[len(names) : SHOWN])]
    shown = [f"{name}: {part_text(value[key], digits)}" for name, key in zip(names, keys, strict=False)]
    return cut("{" + ", ".join(shown + ["…"] * (not whole or len(keys) > SHOWN)) + "}")


def _set_pair(e: Set, g: Set, digits: int) -> Pair:
    missing, additional = sorted(e - g, key=safe_repr), sorted(g - e, key=safe_repr)
    common = sorted(e & g, key=safe_repr)
    names = texts_apart(missing[:SHOWN], g), texts_apart(additional[:SHOWN], e)
    lines = []
    for value, own in zip((e, g), names, strict=True):
        shown = [*own, *(part_text(member, digits) for member in common[:SHOWN])][:SHOWN]
        lines.append(cut("{" + ", ".join(shown + ["…"] * (len(value) > SHOWN)) + "}") if value else "set()")
    return Pair(lines[0], lines[1], _only_in_one(*names))


def _only_in_one(missing: list[str], additional: list[str]) -> str:
    said = [
        f"{word}: {', '.join(keys[:4])}{', …' if len(keys) > 4 else ''}"
        for word, keys in (("missing", missing), ("additional", additional))
        if keys
    ]
    return "; ".join(said)


def _types(expected: Any, got: Any) -> str:
    """The types of two values of different kinds; "" where they have one kind, or `expected` is a description."""
    if isinstance(expected, str) or got is None or _kind(expected) == _kind(got):
        return ""
    return visible(f"type {type(got).__name__}, expected type {type(expected).__name__}")


def _kind(value: Any) -> Any:
    kinds: tuple[Any, ...] = (int | float | np.number, str, bytes, list, tuple, Mapping, Set, Tensor, np.ndarray)
    return next((kind for kind in kinds if isinstance(value, kind)), type(value))
