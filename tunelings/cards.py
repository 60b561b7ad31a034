"""What an exercise says of itself, in `checks/moduleNN/exNN_name.toml`: its title, hints and known mistakes."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tunelings.writing import read_regular

_TOML_NAMES: dict[type, str] = {str: "string", int: "integer", list: "array", dict: "table"}
_MISTAKES = re.compile(r"^\[\[mistakes\]\]", re.MULTILINE)
T = TypeVar("T")


class CourseError(Exception):
    """Something about the course's files is wrong; the message is one line that says what to do."""


@dataclass(frozen=True)
class Mistake:
    """A known mistake: edits of the reference, and what went wrong in one line.

    `forms` is a list of forms; a form is a list of (old, new) edits of the solution's text.
    `shows` is a format string over `actual`, `expected` and the notes of the failing check.
    `breaks` quotes the words of the docstring that the mistake breaks.
    """

    id: str
    says: str
    forms: tuple[tuple[tuple[str, str], ...], ...]
    shows: str = ""
    breaks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Head:
    """What a card says before its mistakes: all that a list of exercises shows, and the hints."""

    title: str
    lesson: str
    minutes: int
    difficulty: int
    learnt: str
    hints: tuple[str, ...]


@dataclass(frozen=True)
class Card(Head):
    """What an exercise says of itself: `checks/moduleNN/exNN_name.toml`."""

    mistakes: tuple[Mistake, ...]


def read_card(path: Path) -> Card:
    """Read a card; a missing or malformed one is a CourseError that names the file and the field."""
    return _read(path, _parse_card)


def read_head(path: Path) -> Head:
    """Read a card as far as its mistakes, which are most of it; errors as in `read_card`."""
    return _read(path, _parse_head)


def _read(path: Path, parse: Callable[[str], T]) -> T:
    try:
        return parse(read_regular(path))
    except FileNotFoundError:
        raise CourseError(f"{path} is missing: every exercise needs its card.") from None
    except KeyError as error:
        raise CourseError(f"{path}: the field {error} is missing.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, RecursionError, OSError) as error:
        raise CourseError(f"{path} can't be read as a card: {getattr(error, 'strerror', None) or error}.") from None


@functools.lru_cache(maxsize=256)
def _parse_card(text: str) -> Card:
    fields = tomllib.loads(text)
    mistakes = tuple(_read_mistake(entry) for entry in fields.get("mistakes", []))
    return Card(**vars(_head(fields)), mistakes=mistakes)


@functools.lru_cache(maxsize=256)
def _parse_head(text: str) -> Head:
    return _head(tomllib.loads(_MISTAKES.split(text, maxsplit=1)[0]))


def _head(fields: dict) -> Head:
    hints = _field(fields, "hints", list)
    if not hints:
        raise TypeError("`hints` is empty")
    return Head(
        title=_field(fields, "title", str),
        lesson=_field(fields, "lesson", str),
        minutes=_field(fields, "minutes", int),
        difficulty=_field(fields, "difficulty", int),
        learnt=_field(fields, "learnt", str),
        hints=tuple(_of_type("a hint", hint, str).strip() for hint in hints),
    )


def _read_mistake(entry: dict) -> Mistake:
    return Mistake(
        id=_field(entry, "id", str),
        says=_field(entry, "says", str).strip(),
        forms=tuple(tuple(_read_edit(edit) for edit in form) for form in _field(entry, "forms", list)),
        shows=_of_type("`shows`", entry.get("shows", ""), str),
        breaks=tuple(_of_type("a quote of `breaks`", quote, str) for quote in _breaks(entry)),
    )


def _breaks(entry: dict) -> list:
    """One quote, or a list of them."""
    quotes = entry.get("breaks", [])
    return [quotes] if isinstance(quotes, str) else _of_type("`breaks`", quotes, list)


def _read_edit(edit: dict) -> tuple[str, str]:
    return _field(edit, "old", str), _field(edit, "new", str)


def _field(fields: dict, name: str, kind: type[T]) -> T:
    return _of_type(f"`{name}`", _of_type("an entry", fields, dict)[name], kind)


def _of_type(what: str, value: object, kind: type[T]) -> T:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{what} is {value!r}, and should be a TOML {_TOML_NAMES[kind]}")
    return value
