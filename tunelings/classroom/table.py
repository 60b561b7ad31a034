"""A class as a table: a row for every student and exercise, in the order of the class."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from tunelings.classroom.records import Class, Graded, Outcome

NOT_THERE = "the grader has left no result"
# A stub and an absent file are no attempt; of what was refused or has no verdict, nothing is known.
NOT_STARTED = frozenset({Outcome.NOT_STARTED, Outcome.MISSING})
NOT_GRADED = frozenset({Outcome.REFUSED, Outcome.NO_VERDICT})


class Table:
    """The rows of a class by student and exercise; a row that is missing counts as `NO_VERDICT`.

    Raises:
        ValueError: two rows for one student and exercise, or a row of neither.
    """

    def __init__(self, klass: Class):
        self.klass = klass
        self._rows = {(row.student, row.exercise): row for row in klass.rows}
        if len(self._rows) != len(klass.rows):
            raise ValueError("a student has two rows for one exercise")
        known = {(student, exercise) for student in klass.students for exercise in klass.exercises}
        if strange := sorted(self._rows.keys() - known):
            raise ValueError(f"{strange[0]} is no student and exercise of the class")

    def row(self, student: str, exercise: str) -> Graded:
        found = self._rows.get((student, exercise))
        return found or Graded(student, exercise, Outcome.NO_VERDICT, reason=NOT_THERE)

    def of_student(self, student: str) -> list[Graded]:
        return [self.row(student, exercise) for exercise in self.klass.exercises]

    def of_exercise(self, exercise: str) -> list[Graded]:
        return [self.row(student, exercise) for student in self.klass.students]

    def __iter__(self) -> Iterator[Graded]:
        return (row for student in self.klass.students for row in self.of_student(student))

    @cached_property
    def points(self) -> dict[str, float]:
        """The points of each student."""
        return {student: sum(row.points for row in self.of_student(student)) for student in self.klass.students}

    @cached_property
    def passes(self) -> dict[str, int]:
        """How many exercises each student passes."""
        return {student: sum(is_pass(row) for row in self.of_student(student)) for student in self.klass.students}


def is_pass(row: Graded) -> bool:
    return row.outcome == Outcome.PASSED


def is_started(row: Graded) -> bool:
    return row.outcome not in NOT_STARTED | NOT_GRADED


def number(value: float) -> str:
    """Points as a person writes them: 1, 0.5, 0.6667."""
    return f"{round(value, 4):g}"
