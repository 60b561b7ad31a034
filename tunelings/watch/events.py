"""What happens in the watch loop, as data, and the lines that a worker and its parent write to each other.

Each is one line of JSON. The parent writes requests:

    {"numbers": ["1.05"], "seed": 0}

The worker writes events, the word of the class as "event" and the fields beside it:

    {"event": "ready"}
    {"event": "started", "pid": 123}
    {"event": "checking", "check": "test_…", "limit": 10.0}
    {"event": "checked"}
    {"event": "progress", "done": 0.4, "text": "epoch 2, loss 0.31"}
    {"event": "verdicts", "verdicts": [{"number": "1.05", "state": "passed", …}]}
    {"event": "error", "text": "…"}
    {"event": "ended"}

A word that is not known here is passed over, and so is a field: the package may have been updated while the loop runs,
and the worker is then newer than its parent. Any other line that is no event is damaged, and the parent ends the worker
that wrote it: what was lost could be the event that the parent waits for.
"""

from __future__ import annotations

import contextlib
import functools
import json
import typing
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tunelings.grading import verdict
from tunelings.grading.verdict import Verdict


@dataclass(frozen=True)
class Request:
    """Check these exercises; a later request is sent only after the worker has answered or was ended."""

    numbers: tuple[str, ...]
    seed: int = 0


@dataclass(frozen=True)
class Ready:
    """The worker has imported what it was told to."""


@dataclass(frozen=True)
class Started:
    """A process has begun to answer the request."""

    pid: int


@dataclass(frozen=True)
class Checking:
    """A check begins, which may take `limit` seconds."""

    check: str
    limit: float


@dataclass(frozen=True)
class Checked:
    """The check has ended; what may follow is the comparison with the known mistakes."""


@dataclass(frozen=True)
class Reported:
    """A long check says that a share `done` (0 to 1) is behind it."""

    done: float
    text: str


@dataclass(frozen=True)
class Verdicts:
    """The answer to the request."""

    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class Error:
    """The checks could not be run."""

    text: str


@dataclass(frozen=True)
class Ended:
    """The request is done with, and its process has ended."""


@dataclass(frozen=True)
class Died:
    """The worker has ended or sent a damaged line; said by the parent's reader, never written on the wire."""

    once: bool  # It was a worker for one request.


@dataclass(frozen=True)
class KeyPressed:
    """The learner pressed a key: "h", "up", "enter", …"""

    key: str


@dataclass(frozen=True)
class FilesChanged:
    """Files were written, made or deleted."""

    paths: frozenset[Path]


FromWorker = Ready | Started | Checking | Checked | Reported | Verdicts | Error | Ended | Died
FromLearner = KeyPressed | FilesChanged

_CLASSES: dict[str, type[FromWorker]] = {
    "ready": Ready,
    "started": Started,
    "checking": Checking,
    "checked": Checked,
    "progress": Reported,
    "verdicts": Verdicts,
    "error": Error,
    "ended": Ended,
}
_WORDS = {cls: word for word, cls in _CLASSES.items()}


class DamagedLine(ValueError):
    """A line is not what it should be."""


def request_to_json(request: Request) -> str:
    """The request as one line, with its line feed."""
    return json.dumps(asdict(request)) + "\n"


def request_from_json(line: str) -> Request:
    """The request that a line holds; raises DamagedLine if there is none."""
    with _damage():
        return Request(**_fields(Request, json.loads(line)))


def to_json(event: FromWorker) -> str:
    """A worker's event as one line, with its line feed."""
    fields = asdict(event)
    if isinstance(event, Verdicts):
        fields["verdicts"] = [verdict.to_json(one) for one in event.verdicts]
    return json.dumps({"event": _WORDS[type(event)], **fields}) + "\n"


def from_json(line: str) -> FromWorker | None:
    """The event that a line holds; None if its word is not known here.

    Raises:
        DamagedLine: it is not JSON, has no word, or a field is missing or of another type.
    """
    with _damage():
        entry = json.loads(line)
        cls = _CLASSES.get(entry["event"])
        return cls(**_fields(cls, entry)) if cls else None


@contextlib.contextmanager
def _damage() -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DamagedLine(f"{type(error).__name__}: {error}") from None


def _fields(cls: type, entry: dict) -> dict[str, Any]:
    """The fields of a class, as an entry of JSON has them."""
    return {name: _value(entry[name], kind) for name, kind in _kinds(cls).items()}


@functools.cache
def _kinds(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _value(value: Any, kind: Any) -> Any:
    """A field's value as its class has it; raises TypeError for one of another type."""
    if kind == tuple[Verdict, ...]:
        return tuple(verdict.from_json(_value(entry, dict)) for entry in _value(value, list))
    if kind == tuple[str, ...]:
        return tuple(_value(entry, str) for entry in _value(value, list))
    if not isinstance(value, (int, float) if kind is float else kind):
        raise TypeError(f"{value!r} is not of the type {kind.__name__}")
    return value
