"""What is known of one exercise during one run of pytest."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from tunelings.course import Exercise
from tunelings.grading import answers
from tunelings.grading.states import CheckState, ExerciseState
from tunelings.grading.store import content_hash
from tunelings.grading.verdict import Failure, Verdict
from tunelings.writing import read_regular


@dataclass
class Run:
    """The answer of one exercise as it was when the run began, and what its checks have said."""

    exercise: Exercise
    answer_path: Path
    content_hash: str
    source: answers.Source | None = None
    problem: answers.AnswerError | None = None
    open_todos: list[str] | None = field(default_factory=list)  # None: not started
    checks: dict[str, CheckState] = field(default_factory=dict)  # by the check's name
    failures: dict[str, Failure] = field(default_factory=dict)  # likewise
    fingerprints: dict[str, str] = field(default_factory=dict)  # likewise
    explained: bool = False
    late: str = ""  # the check that ran out of time; those after it are not run
    awaited: set[str] = field(default_factory=set)  # the selected checks that have to pass

    @property
    def has_run(self) -> bool:
        return bool(self.checks) or self.open_todos is None

    @property
    def state(self) -> ExerciseState:
        if self.open_todos is None:
            return ExerciseState.NOT_STARTED
        states = set(self.checks.values())
        if states == {CheckState.PASSED} and self.awaited <= self.checks.keys():
            return ExerciseState.PASSED
        only_todos = states <= {CheckState.PASSED, CheckState.TODO}
        return ExerciseState.IN_PROGRESS if only_todos else ExerciseState.FAILED

    @property
    def verdict(self) -> Verdict:
        return Verdict(
            self.exercise.number,
            self.exercise.title,
            self.exercise.lesson_address,
            self.answer_path.as_posix(),
            self.state,
            self.checks,
            next(iter(self.failures.values()), None),
        )

    def could_not_run(self, check: str, error: str) -> None:
        """The error is not the answer's, and pytest shows it; but the check has not passed."""
        self.checks[check] = CheckState.NOT_RUN
        self.failures[check] = Failure(check, CheckState.NOT_RUN, message=f"the check could not be run: {error}")


def begin(exercise: Exercise, answer_path: Path) -> Run:
    """Read an answer and all that its verdict is said with, before anything runs that could change them."""
    run = Run(exercise, answer_path, content_hash(exercise))
    _ = exercise.title, exercise.lesson_address  # They read the card.
    with contextlib.suppress(OSError, UnicodeDecodeError):
        answers.keep_lines(str(exercise.check_path), read_regular(exercise.check_path))
    try:
        run.source = answers.read(answer_path)
        run.open_todos = answers.todo_state(run.source, exercise.solution_path)
    except answers.AnswerError as error:
        run.problem = error
    return run
