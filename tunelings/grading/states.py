"""The states of a check and of an exercise, each with its mark and its word; the word says all that the mark does."""

from __future__ import annotations

from enum import StrEnum


class CheckState(StrEnum):
    """What one check said of one answer."""

    PASSED = "passed"
    FAILED = "failed"  # an expectation does not hold
    CRASHED = "crashed"
    BROKEN = "broken"  # the answer does not load
    TIMEOUT = "timeout"
    ESCAPED = "escaped"  # the answer ended the program, or left global state changed
    TODO = "todo"  # met a TODO that is left
    NOT_STARTED = "not started"  # the answer is still the stub, so the check was not run
    SKIPPED = "skipped"  # the check says that it cannot run here

    @property
    def mark(self) -> str:
        return "✗" if self.is_failure else {"passed": "✓", "todo": "◐", "not started": "○"}.get(self, "-")

    @property
    def word(self) -> str:
        return {"broken": "does not load", "timeout": "out of time", "todo": "in progress"}.get(self, self.value)

    @property
    def is_failure(self) -> bool:
        """The answer is wrong; a TODO that is left is not."""
        return self in {"failed", "crashed", "broken", "timeout", "escaped"}

    @property
    def ends_the_run(self) -> bool:
        """An answer that is not finished, does not load or does not end: its other checks say nothing more."""
        return self in {"todo", "broken", "timeout"}


class ExerciseState(StrEnum):
    """How far an exercise is."""

    NOT_STARTED = "not started"
    IN_PROGRESS = "in progress"
    FAILED = "failed"
    PASSED = "passed"

    @property
    def mark(self) -> str:
        return {"not started": "○", "in progress": "◐", "failed": "✗", "passed": "✓"}[self]

    @property
    def word(self) -> str:
        return "done" if self == ExerciseState.PASSED else self.value
