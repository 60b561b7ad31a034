"""Classes of a few students over the small course, and grading them without the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.support.miniature import SHIFT, SQUARES
from tunelings.classroom.engine import Engine, Plan
from tunelings.classroom.handed_in import Submission
from tunelings.classroom.records import Graded
from tunelings.classroom.runners import LocalRunner, Runner
from tunelings.classroom.sandbox import Isolation
from tunelings.course import Course

RIGHT = SQUARES
DOUBLED = SQUARES.replace("x * x", "x + x")
SHIFTED = SHIFT


def handed_in(name: str, squares: str | None = None, shift: str | None = None) -> Submission:
    """A submission with these answers to 1.01 and 1.02."""
    texts = {"1.01": squares, "1.02": shift}
    return Submission(name, {number: text.encode() for number, text in texts.items() if text is not None})


def write(place: Path, name: str, squares: str | None = None, shift: str | None = None) -> Path:
    """The same as a folder in `place`."""
    for file, text in (("ex01_squares.py", squares), ("ex02_shift.py", shift)):
        if text is not None:
            path = place / name / "module01" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return place / name


def plan_of(root: Path, **options) -> Plan:
    course = Course(root)
    return replace(Plan(course, course.exercises, Isolation.BWRAP), **options)


def graded(
    plan: Plan, results: Path, class_: list[Submission], *, runner: Runner | None = None, preflight: bool = False
) -> tuple[Engine, dict[tuple[str, str], Graded]]:
    """Grade a class; its rows by the student's name and the exercise."""
    used = runner or LocalRunner(1)
    try:
        engine = Engine(plan, results, used)
        if preflight:
            engine.preflight(len(class_))
        engine.run(class_)
    finally:
        if runner is None:
            used.close()
    rows = engine.rows(class_, {one.name: one.name for one in class_})
    return engine, {(row.student, row.exercise): row for row in rows}
