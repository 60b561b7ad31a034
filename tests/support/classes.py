"""A small class for the tests of what is written from records: two exercises, and an outcome of each kind."""

from __future__ import annotations

from tunelings.classroom.records import Class, Graded, Outcome
from tunelings.grading.states import CheckState, ExerciseState
from tunelings.grading.verdict import Difference, Failure, NamedMistake, Verdict

ONE, TWO = "1.05", "1.06"
FILES = {ONE: "ex05_training_step", TWO: "ex06_evaluate"}
NO_ZERO_GRAD = NamedMistake("no-zero-grad", "gradients are never cleared: backward() adds to what is already in .grad.")


def verdict(exercise: str = ONE, failure: Failure | None = None, folder: str = "/class/ann-lee/exercises") -> Verdict:
    """The verdict of an answer that passes its two checks, or the first of them only."""
    states = {"test_one": CheckState.PASSED, "test_two": failure.state if failure else CheckState.PASSED}
    state = ExerciseState.FAILED if failure else ExerciseState.PASSED
    answer = f"{folder}/module01/{FILES[exercise]}.py"
    return Verdict(exercise, "A title", "docs/module01/lesson/", answer, state, states, failure)


def failure(what: str = "the weight", *, mistakes: tuple[NamedMistake, ...] = (), **fields) -> Failure:
    fields = {"expected": "1.0", "got": "2.0", "difference": Difference(None, 1.0), "line": 7} | fields
    return Failure("test_two", CheckState.FAILED, what, mistakes=mistakes, **fields)


def passed(student: str, exercise: str = ONE, **fields) -> Graded:
    return Graded(student, exercise, Outcome.PASSED, 1.0, seconds=2.0, verdict=verdict(exercise), **fields)


def failed(student: str, exercise: str = ONE, *, why: Failure | None = None, print_: str = "2.0", **fields) -> Graded:
    made = why or failure()
    prints = {made.check: print_}
    fields = {"seconds": 4.0, "fingerprints": prints, "answer_hash": f"hash-{student}"} | fields
    return Graded(student, exercise, Outcome.FAILED, verdict=verdict(exercise, made), **fields)


def outcome(student: str, kind: Outcome, exercise: str = ONE, reason: str = "") -> Graded:
    return Graded(student, exercise, kind, reason=reason)


def klass(rows: list[Graded], **manifest) -> Class:
    students = tuple(dict.fromkeys(row.student for row in rows))
    exercises = tuple(sorted({row.exercise for row in rows}))
    return Class(students, exercises, tuple(rows), {"isolation": "bwrap", **manifest})
