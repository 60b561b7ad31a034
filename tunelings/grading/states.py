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
    NOT_RUN = "not run"  # an earlier check of the exercise ran out of time
    SKIPPED = "skipped"  # the check says that it cannot run here

    @property
    def mark(self) -> str:
        marks = {CheckState.PASSED: "✓", CheckState.TODO: "◐", CheckState.NOT_STARTED: "○"}
        return "✗" if self.is_failure else marks.get(self, "-")

    @property
    def word(self) -> str:
        words = {
            CheckState.BROKEN: "does not load",
            CheckState.TIMEOUT: "out of time",
            CheckState.TODO: "in progress",
        }
        return words.get(self, self.value)

    @property
    def is_failure(self) -> bool:
        """The answer is wrong; a TODO that is left is not."""
        return self not in {CheckState.PASSED, CheckState.TODO, CheckState.NOT_STARTED, CheckState.SKIPPED}

    @property
    def ends_the_run(self) -> bool:
        """An answer that is not finished, does not load or does not end: its other checks say nothing more."""
        return self in {CheckState.TODO, CheckState.BROKEN, CheckState.TIMEOUT}


class ExerciseState(StrEnum):
    """How far an exercise is."""

    NOT_STARTED = "not started"
    IN_PROGRESS = "in progress"
    FAILED = "failed"
    PASSED = "passed"

    @property
    def mark(self) -> str:
        marks = {ExerciseState.NOT_STARTED: "○", ExerciseState.IN_PROGRESS: "◐", ExerciseState.PASSED: "✓"}
        return marks.get(self, "✗")

    @property
    def word(self) -> str:
        return "done" if self == ExerciseState.PASSED else self.value
