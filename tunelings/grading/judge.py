"""One check on one answer becomes a state and, where it does not pass, a failure.

This runs where the answer runs: in a child process (`child.py`), or in pytest's own where that was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pytest

from tunelings.course import CourseError, Exercise
from tunelings.grading import diagnose
from tunelings.grading.answers import Source
from tunelings.grading.contain import Exited, contained
from tunelings.grading.failures import failure_of
from tunelings.grading.fingerprint import digest
from tunelings.grading.limits import OutOfTime, time_limit
from tunelings.grading.run import Result, run_check
from tunelings.grading.states import CheckState
from tunelings.grading.vectors import stored
from tunelings.grading.verdict import Failure

_LONGEST = 4000  # characters of one text of a failure


@dataclass(frozen=True)
class Task:
    """What is to be judged. `diagnosed`: a failure is compared with the known mistakes."""

    exercise: Exercise
    check: Callable[..., None]
    source: Source
    seed: int
    limit: float
    open_todos: tuple[str, ...] = ()
    diagnosed: bool = True
    fixtures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Judgement:
    """What a check said: its state; the failure; why it was skipped; in process, the error itself for a debugger.

    fingerprint: the same for two answers that fail alike; "" where none was made.
    """

    state: CheckState
    failure: Failure | None = None
    skipped: str | None = None
    error: BaseException | None = None
    fingerprint: str = ""


def judge(task: Task, first: Callable[[Judgement], None] = lambda judgement: None) -> Judgement:
    """Run the check. A judgement that is going to be explained is told to `first` before, as it is.

    Raises:
        KeyboardInterrupt: the user pressed Ctrl-C.
    """
    name = task.check.__name__
    try:
        result = run_check(task.check, task.source, seed=task.seed, limit=task.limit, fixtures=task.fixtures)
    except pytest.skip.Exception as skipped:
        return Judgement(CheckState.SKIPPED, skipped=skipped.msg or "")
    if result.error is None:
        return Judgement(CheckState.PASSED)
    if result.state == CheckState.TODO:
        return Judgement(result.state, Failure(name, CheckState.TODO, todos=task.open_todos), error=result.error)
    failure, fingerprint = _seen(task, result)
    plain = Judgement(result.state, failure, error=result.error, fingerprint=fingerprint)
    if not task.diagnosed or result.state.ends_the_run:
        return plain
    first(plain)
    named, trouble = None, ""
    try:
        named = diagnose.diagnose(task.exercise, task.source, name, task.seed)
    except CourseError as card_error:
        trouble = str(card_error)
    except Exception as error:  # The course's files may have changed since the run began; the failure is known.
        trouble = f"the course is damaged ({type(error).__name__}: {error})"
    if named is None and not trouble:
        return plain
    return replace(plain, failure=_seen(task, result, diagnosis=named, trouble=trouble)[0])


def _seen(task: Task, result: Result, **options: Any) -> tuple[Failure, str]:
    """The failure and its fingerprint; both ask the answer's objects what they are, so this runs as a check does."""
    try:
        with contained(), time_limit(task.limit):
            failure = shortened(failure_of(task.check, result, task.source.path, **options))
            came_out = stored(result)
            return failure, digest([came_out.state, came_out.what, came_out.value])
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # A word to pytest is no `Exception`.
        said = f"what the answer gave cannot be shown: {_reason(error)}"
    return Failure(result.check, result.state, message=said), ""


def _reason(error: BaseException) -> str:
    cause = error.__cause__ if isinstance(error, Exited) and error.__cause__ else error
    kind = type(cause).__name__
    return f"its text {error}" if isinstance(error, OutOfTime) else f"making its text raises {kind}"


def shortened(failure: Failure) -> Failure:
    """A failure whose texts have a length that a screen can take."""
    long: dict[str, Any] = {
        one.name: f"{value[:_LONGEST]}…"
        for one in fields(failure)
        if isinstance(value := getattr(failure, one.name), str) and len(value) > _LONGEST
    }
    return replace(failure, **long)


def not_loaded(check: Callable[..., None], path: Path, error: BaseException) -> Failure:
    """The failure of a check whose answer cannot be read."""
    return failure_of(check, Result(check.__name__, CheckState.BROKEN, error), path)
