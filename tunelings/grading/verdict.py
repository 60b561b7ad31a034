"""A verdict as data, for those who show it, send it or store it; neither pytest nor torch is imported.

`to_json` writes what `tunelings run --json` prints and what the loop's worker sends; docs/assets/verdict.schema.json
describes it. VERSION grows when a field changes its meaning or goes; fields may be added.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from tunelings.grading.states import CheckState, ExerciseState

VERSION = 1
_TEXTS = "tuple[str, ...]"
_TYPES = {"str": str, "int": int, "int | None": int | None, _TEXTS: str}  # by a field's annotation; of texts, each
_OPTIONAL = ("given", "used")  # Fields that came later: an older writer leaves them out.


@dataclass(frozen=True)
class Difference:
    """Where two values part: the index of the first place (None: they have no index), and the largest |difference|."""

    first: tuple[int, ...] | None
    largest: float


@dataclass(frozen=True)
class NamedMistake:
    """A known mistake that fails as the answer does; `shows` is a sentence with the learner's own numbers, or ""."""

    id: str
    says: str
    shows: str = ""


@dataclass(frozen=True)
class Frame:
    """A place in the answer's file that an error passed through."""

    line: int
    function: str
    code: str


@dataclass(frozen=True)
class Failure:
    """Why one check does not pass.

    check, sentence: the name of the check's function, and the same as a sentence.
    state: what kind of failure it is.
    what: what was compared; "" where nothing was.
    expected, got: the two values, each on one line; of a long one the part that differs.
    difference: where two tensors or lists of numbers part.
    remark: what else there is to say of the value that came out ("length 3, expected length 4").
    given: the input of the case that failed; "" where the check does not say it.
    message: the text of the error, where something other than an expectation failed.
    used: the line of the check at which what the answer gave could not be used, where no line of the answer failed.
    todos: the functions that are still as the stub left them.
    mistakes: the known mistakes that give exactly this: one, or two that no check tells apart.
    unexplained: how many other failing checks those mistakes would pass.
    trouble: why no mistake could be looked for.
    frames: the answer's own lines that the error passed through, the last one deepest.
    line: the line of the answer to look at.
    """

    check: str
    state: CheckState
    what: str = ""
    expected: str = ""
    got: str = ""
    difference: Difference | None = None
    remark: str = ""
    message: str = ""
    todos: tuple[str, ...] = ()
    mistakes: tuple[NamedMistake, ...] = ()
    unexplained: int = 0
    trouble: str = ""
    frames: tuple[Frame, ...] = ()
    line: int | None = None
    given: str = ""
    used: str = ""

    @property
    def sentence(self) -> str:
        return sentence_of(self.check)


@dataclass(frozen=True)
class Verdict:
    """What the checks said of one answer.

    number, title, lesson: the exercise, such as "1.05", and the address of its lesson.
    answer: the path of the answer's file.
    checks: the state of each check that ran, in order.
    failure: the first check that does not pass.
    """

    number: str
    title: str
    lesson: str
    answer: str
    state: ExerciseState
    checks: dict[str, CheckState] = field(default_factory=dict)
    failure: Failure | None = None


def sentence_of(check: str) -> str:
    """ "old gradients do not leak" for "test_old_gradients_do_not_leak"."""
    return check.removeprefix("test_").replace("_", " ")


def to_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain JSON values."""
    plain = asdict(verdict)
    if verdict.failure is not None:
        plain["failure"] = failure_to_json(verdict.failure)
    return plain


def failure_to_json(failure: Failure) -> dict[str, Any]:
    """A failure as plain JSON values."""
    plain = {**asdict(failure), "sentence": failure.sentence}
    if (parting := failure.difference) is not None and not math.isfinite(parting.largest):
        plain["difference"]["largest"] = str(parting.largest)  # JSON has neither nan nor inf.
    return plain


def from_json(plain: Mapping[str, Any]) -> Verdict:
    """The verdict that `to_json` wrote; a field that is not known here is passed over.

    Raises:
        KeyError, TypeError, ValueError: `plain` is not of this form.
    """
    known = _known(Verdict, plain)
    failure = known["failure"]
    return Verdict(
        **{
            **known,
            "state": ExerciseState(known["state"]),
            "checks": {name: CheckState(state) for name, state in dict(known["checks"]).items()},
            "failure": None if failure is None else failure_from_json(failure),
        }
    )


def failure_from_json(plain: Mapping[str, Any]) -> Failure:
    """The failure that `failure_to_json` wrote; raises as `from_json` does."""
    known = _known(Failure, plain)
    parting = known["difference"]
    if parting is not None:
        first = parting["first"]
        parting = Difference(None if first is None else tuple(map(operator.index, first)), float(parting["largest"]))
    return Failure(
        **{
            **known,
            "state": CheckState(known["state"]),
            "difference": parting,
            "todos": tuple(known["todos"]),
            "mistakes": tuple(NamedMistake(**_known(NamedMistake, mistake)) for mistake in known["mistakes"]),
            "frames": tuple(Frame(**_known(Frame, frame)) for frame in known["frames"]),
        }
    )


def _known(kind: type, plain: Mapping[str, Any]) -> dict[str, Any]:
    """Every field of `kind`, taken from JSON; those of `_OPTIONAL` may be missing.

    Raises:
        TypeError: a text or a number of it is something else.
    """
    known = {one.name: plain[one.name] for one in fields(kind) if one.name in plain or one.name not in _OPTIONAL}
    for one in fields(kind):
        if (wanted := _TYPES.get(str(one.type))) and one.name in known:
            parts = known[one.name] if one.type == _TEXTS else [known[one.name]]
            if not all(isinstance(part, wanted) for part in parts):
                raise TypeError(f"{one.name} is no {one.type}")
    return known
