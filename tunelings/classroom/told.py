"""What the process that runs answers tells the one that decides: one line of JSON, of a strict schema, and no more.

Nothing of it is trusted but its form. Whether an answer passes is decided here, from the checks that the exercise has.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tunelings.classroom.records import Outcome
from tunelings.course import Exercise
from tunelings.grading.states import CheckState, ExerciseState
from tunelings.grading.verdict import Verdict, failure_from_json, failure_to_json

LARGEST = 256 * 1024  # bytes of one line

ENDED_ITS_GRADER = "the answer ended the grader, even when it ran alone"

_STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)


class ToldDifference(BaseModel):
    model_config = _STRICT
    first: list[int] | None
    largest: float | str


class ToldMistake(BaseModel):
    model_config = _STRICT
    id: str
    says: str
    shows: str


class ToldFrame(BaseModel):
    model_config = _STRICT
    line: int
    function: str
    code: str


class ToldFailure(BaseModel):
    """As `verdict.failure_to_json` writes it."""

    model_config = _STRICT
    check: str
    sentence: str
    state: CheckState
    what: str
    expected: str
    got: str
    difference: ToldDifference | None
    remark: str
    message: str
    todos: list[str]
    mistakes: list[ToldMistake]
    unexplained: int
    trouble: str
    frames: list[ToldFrame]
    line: int | None
    given: str
    used: str


class Told(BaseModel):
    """One answer's result.

    id: the request's, which no answer knows.
    checks: the state of each check that ran.
    failure: the first that does not pass. fingerprints: what came out of each failing check.
    tampered: the answer changed the grader, or wrote where its results go. memory: it asked for too much of it.
    starved: a process was killed from outside, perhaps because memory ran out. ended: it was the one that grades, so
        that nothing else is known. trouble: the grader's own fault, or what became of it.
    seconds: by the clock, of all its checks.
    """

    model_config = _STRICT
    id: str
    state: ExerciseState
    checks: dict[str, CheckState]
    failure: ToldFailure | None
    fingerprints: dict[str, str]
    flags: list[str] = Field(max_length=32)
    tampered: bool
    memory: bool
    starved: bool
    ended: bool
    trouble: str
    seconds: float = Field(ge=0)


class NotOfThisForm(ValueError):
    """What was told is not of the schema."""


def read(line: bytes) -> Told:
    """What a line says.

    Raises:
        NotOfThisForm: it is too long, no JSON, or not of the schema.
    """
    if len(line) > LARGEST:
        raise NotOfThisForm(f"a result of more than {LARGEST // 1024} KiB")
    try:
        return Told.model_validate_json(line)
    except ValidationError as error:
        raise NotOfThisForm(f"a result that is not of the schema ({error.error_count()} errors)") from None


def failure_of(verdict: Verdict) -> ToldFailure | None:
    """A verdict's failure in the form of the schema."""
    if verdict.failure is None:
        return None
    plain = failure_to_json(verdict.failure)
    for name in ("todos", "mistakes", "frames"):
        plain[name] = list(plain[name])
    if plain["difference"] is not None and plain["difference"]["first"] is not None:
        plain["difference"]["first"] = list(plain["difference"]["first"])
    return ToldFailure.model_validate(plain)


def verdict_of(told: Told, exercise: Exercise) -> Verdict:
    """What the student would have seen; names and addresses are the course's, and not what was told."""
    failure: dict[str, Any] | None = told.failure.model_dump() if told.failure else None
    return Verdict(
        exercise.number,
        exercise.title,
        exercise.lesson_address,
        f"exercises/{exercise.relative_path.as_posix()}",
        told.state,
        dict(told.checks),
        failure_from_json(failure) if failure else None,
    )


def outcome_of(told: Told, wanted: Iterable[str]) -> tuple[Outcome, str]:
    """How it came out, and why where there is no verdict; `wanted` are the checks that the exercise has.

    A pass is the exercise's own set of checks, every one of them passed, and nothing else.
    """
    states, wanted = set(told.checks.values()), set(wanted)
    if told.ended:
        return Outcome.FAILED, f"{ENDED_ITS_GRADER}: {told.trouble}"
    if told.trouble:
        return Outcome.NO_VERDICT, told.trouble
    if told.tampered:
        return Outcome.TAMPERED, told.failure.message if told.failure else ""
    if told.state == ExerciseState.NOT_STARTED:
        return Outcome.NOT_STARTED, ""
    if told.checks.keys() == wanted and states == {CheckState.PASSED} and told.state == ExerciseState.PASSED:
        return Outcome.PASSED, ""
    if told.state == ExerciseState.PASSED or not states or not told.checks.keys() <= wanted:
        missing = ", ".join(sorted(wanted - told.checks.keys())[:3]) or "others than the exercise has"
        return Outcome.NO_VERDICT, f"the checks that were reported are not the exercise's: {missing}"
    if CheckState.BROKEN in states:
        return Outcome.BROKEN, ""
    if told.memory:
        return Outcome.MEMORY, ""
    if CheckState.TIMEOUT in states:
        return Outcome.TIMEOUT, ""
    return Outcome.FAILED, ""
