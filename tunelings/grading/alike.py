"""Two values that would read alike: a closer look at what tells them apart.

Of long texts and numbers the stretch in which they part, of texts the characters by their code points, of keys and
members so much that each differs from the others, and of values that are the same but for their types the types.
"""

from __future__ import annotations

import cmath
import unicodedata
from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from tunelings.grading.text import cut, visible
from tunelings.grading.values import int_text, needs_quotes, object_text, part_text, without_module
from tunelings.plain import is_tensor, same_value

WIDE = 84  # characters of a value on its line
LONG = 40  # characters from which on a text inside a list is looked into
_BEFORE = 60  # characters of a text that are shown before the place where it differs
_RIVALS = 1000  # keys or members of the other value that one is told apart from
BOTH_NAN = "both are nan, which equals nothing, not even nan"


class Pair(NamedTuple):
    """The two values on a line each, and in words where or in what they part ("" where the lines show it)."""

    expected: str
    got: str
    remark: str = ""


class Leaf(NamedTuple):
    """The first place where two values part, as deep as it can be told: its path, and what stands there in each."""

    path: str
    expected: Any
    got: Any


# Texts.


def first_apart(e: str, g: str) -> int:
    apart = (i for i, (x, y) in enumerate(zip(e, g, strict=False)) if x != y)
    return next(apart, min(len(e), len(g)))


def window(e: str, g: str) -> Pair:
    """Two texts from a little before the place where they part."""
    start = max(0, first_apart(e, g) - _BEFORE) if max(len(e), len(g)) > WIDE else 0
    mark = "…" if start else ""
    return Pair(mark + cut(e[start:]), mark + cut(g[start:]))


def text_pair(e: str, g: str, *, quoted: bool = False) -> Pair:
    """Two texts from a little before the place where they part, in quotes where one of them could be misread."""
    where = first_apart(e, g)
    remark = f"differs first at character {where}" if quoted or max(len(e), len(g)) > LONG else ""
    if remark and where == min(len(e), len(g)):
        remark += f"; length {len(g)}, expected length {len(e)}"
    if unicodedata.normalize("NFKC", e) == unicodedata.normalize("NFKC", g):
        e, g = ascii(e), ascii(g)  # They would look alike.
    elif quoted or needs_quotes(e) or needs_quotes(g):
        e, g = repr(e), repr(g)
    return window(e, g)._replace(remark=remark)


def characters(e: Any, g: Any) -> str:
    """Where two texts part, the two characters by their code points; "" for ASCII, where they can be told by eye."""
    if not isinstance(e, str) or not isinstance(g, str):
        return ""
    e, g = str.__str__(e), str.__str__(g)
    where = first_apart(e, g)
    ours, theirs = e[where : where + 1], g[where : where + 1]
    if (ours + theirs).isascii():
        return ""
    return f"character {where}: {_code_point(theirs)}, expected {_code_point(ours)}"


def _code_point(character: str) -> str:
    if not character:
        return "the end"
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()


# Keys of a dict, members of a set.


def texts_apart(own: list, others: Collection) -> list[str]:
    """Each of these as a part of a value, and with so much of it that it reads unlike all `others`."""
    rivals: dict[str, list] = {}
    for other in list(others)[:_RIVALS]:
        rivals.setdefault(part_text(other), []).append(other)
    return [_text_apart(one, rivals.get(part_text(one), [])) for one in own]


def _text_apart(one: Any, rivals: list) -> str:
    whole = _whole(one)
    places = [first_apart(whole, text) for text in map(_whole, rivals) if text != whole]
    if not places:
        return part_text(one)
    start, end = max(0, min(places) - LONG // 2), max(places) + LONG // 2
    return ("…" if start else "") + whole[start:end] + ("…" if end < len(whole) else "")


def _whole(value: Any) -> str:
    """All of a value's text, in one form for one kind of value."""
    if isinstance(value, str):
        return repr(str.__str__(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return int_text(value)
    return visible(object_text(value))


def characters_of_keys(missing: list, additional: list) -> str:
    """Likewise of two keys or members, one in each value, that begin alike."""
    texts = [[text for text in keys[:8] if isinstance(text, str)] for keys in (missing, additional)]
    pairs = [(e, g) for e in texts[0] for g in texts[1]]
    e, g = max(pairs, key=lambda pair: first_apart(*pair), default=("", ""))
    return characters(e, g)


# Whatever reads alike still.


def told_apart(pair: Pair, leaf: Leaf, exact: bool) -> tuple[str, Pair]:
    """A path and the pair that stands there: for the same two values, or for the first part in which they differ.

    `exact`: all that differs in them is a type.
    """
    if not exact and (near := _near(leaf.expected, leaf.got)):
        return leaf.path, near
    e, g = _type_text(leaf.expected), _type_text(leaf.got)
    if e != g:
        at = f"{leaf.path}: " if leaf.path else ""
        return "", Pair(f"{pair.expected} ({at}{e})", f"{pair.got} ({at}{g})", pair.remark)
    return "", pair._replace(remark=_why(leaf.expected, leaf.got))


def _near(e: Any, g: Any) -> Pair | None:
    """Two parts of one kind, with what a part's text cuts off; None where that tells no more."""
    if isinstance(e, str) and isinstance(g, str):
        pair = text_pair(str.__str__(e), str.__str__(g), quoted=True)
    elif _is_int(e) and _is_int(g):
        pair = int_pair(e, g)
    elif isinstance(e, float) and isinstance(g, float):
        pair = Pair(float.__repr__(e), float.__repr__(g))
    elif type(e) is type(g) and not isinstance(e, Tensor | np.ndarray):
        pair = window(_whole(e), _whole(g))
    else:
        return None
    return pair if pair.expected != pair.got else None


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def int_pair(e: int, g: int) -> Pair:
    """Two whole numbers from a little before the digit in which they part."""
    ours, theirs = int_text(e), int_text(g)
    if len(ours) != len(theirs):
        return window(ours, theirs)._replace(remark=f"{len(theirs)} digits, expected {len(ours)} digits")
    return window(ours, theirs)._replace(remark=f"differs first at digit {first_apart(ours, theirs) + 1}")


def _why(e: Any, g: Any) -> str:
    if all(isinstance(one, float | complex) and cmath.isnan(one) for one in (e, g)):
        return BOTH_NAN
    if same_value(g, e, exact_types=True):
        return "the two are the same, and the check asks for more"
    compares: Any = type(e).__eq__
    if type(e) is type(g) and compares is object.__eq__:
        return "the two look the same, but are not one and the same object"
    return "the two look the same here, but differ"


def _type_text(value: Any) -> str:
    if is_tensor(value):
        return f"tensor of {str(value.dtype).removeprefix('torch.')}, shape {list(value.shape)}"
    if isinstance(value, np.ndarray):
        return f"array of {value.dtype}, shape {list(value.shape)}"
    kind = type(value)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    return visible(without_module(name))
