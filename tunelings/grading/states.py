"""The states of a check and of an exercise, each with its mark and its word; the word says all that the mark does."""

from __future__ import annotations

from enum import StrEnum


class CheckState(StrEnum):
    """What one check said of one answer."""

    mark: str
    word: str

    def __new__(cls, value: str, mark: str, word: str) -> CheckState:
        state = str.__new__(cls, value)
        state._value_ = value
        state.mark, state.word = mark, word
        return state

    PASSED = "passed", "✓", "passed"
    FAILED = "failed", "✗", "failed"  # an expectation does not hold
    CRASHED = "crashed", "✗", "crashed"
    BROKEN = "broken", "✗", "does not load"
    TIMEOUT = "timeout", "✗", "out of time"
    ESCAPED = "escaped", "✗", "not contained"  # ended the program, or left global state changed
    TODO = "todo", "◐", "in progress"  # met a TODO that is left
    NOT_STARTED = "not started", "○", "not started"  # the answer is still the stub, so the check was not run
    SKIPPED = "skipped", "-", "skipped"  # the check says that it cannot run here

    @property
    def is_failure(self) -> bool:
        """The answer is wrong; a TODO that is left is not."""
        return self in _FAILURES

    @property
    def ends_the_run(self) -> bool:
        """An answer that is not finished, does not load or does not end: its other checks say nothing more."""
        return self in {CheckState.TODO, CheckState.BROKEN, CheckState.TIMEOUT}


_FAILURES = {CheckState.FAILED, CheckState.CRASHED, CheckState.BROKEN, CheckState.TIMEOUT, CheckState.ESCAPED}


class ExerciseState(StrEnum):
    """How far an exercise is."""

    mark: str
    word: str

    def __new__(cls, value: str, mark: str, word: str) -> ExerciseState:
        state = str.__new__(cls, value)
        state._value_ = value
        state.mark, state.word = mark, word
        return state

    NOT_STARTED = "not started", "○", "not started"
    IN_PROGRESS = "in progress", "◐", "in progress"
    FAILED = "failed", "✗", "failed"
    PASSED = "passed", "✓", "done"
