"""results.csv, grades.csv and key.csv; no cell of them is a formula to a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from tunelings.classroom.records import Graded, Outcome
from tunelings.classroom.table import Table, number
from tunelings.grading.states import CheckState
from tunelings.grading.text import visible

# What a spreadsheet takes for the beginning of a formula (https://owasp.org/www-community/attacks/CSV_Injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r")
RESULTS = (
    "student", "exercise", "outcome", "points", "out_of", "checks_passed", "checks", "check", "state", "what",
    "mistakes", "unexplained", "seconds", "late", "isolation", "reason", "flags", "answer_hash",
)  # fmt: skip


def cell(value: object) -> object:
    """A value of a CSV cell; a text that would be a formula gets an apostrophe before it."""
    if not isinstance(value, str):
        return value
    text = "\n".join(visible(line) for line in value.split("\n"))
    return f"'{text}" if value.startswith(FORMULA) else text


def text_of(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([cell(value) for value in row] for row in rows)
    return file.getvalue()


def results(table: Table) -> str:
    """One row for each student and exercise; `check` is the first that does not pass."""
    isolation = str(table.klass.manifest.get("isolation", ""))
    return text_of(RESULTS, (_result(row, isolation) for row in table))


def _result(row: Graded, isolation: str) -> list[object]:
    checks = row.verdict.checks if row.verdict else {}
    failure = row.verdict.failure if row.verdict else None
    found = [failure.check, failure.state.value, failure.what] if failure else ["", "", ""]
    named = " or ".join(mistake.id for mistake in failure.mistakes) if failure else ""
    return [
        row.student, row.exercise, row.outcome.value, number(row.points), number(row.out_of),
        sum(state == CheckState.PASSED for state in checks.values()), len(checks), *found,
        named, failure.unexplained if failure else 0, "" if row.seconds is None else f"{row.seconds:.2f}",
        _yes(row.late), isolation, row.reason, "; ".join(row.flags), row.answer_hash,
    ]  # fmt: skip


def grades(table: Table) -> str:
    """One row for each student: the points of each exercise and of all, and what is still without a verdict."""
    header = ["student", *table.klass.exercises, "points", "out_of", "percent", "passed", "late", "status"]
    return text_of(header, (_grade(table, student) for student in table.klass.students))


def _grade(table: Table, student: str) -> list[object]:
    rows = table.of_student(student)
    points, out_of = total(rows)
    open_ones = [row.exercise for row in rows if row.outcome == Outcome.NO_VERDICT]
    status = f"no verdict: {' '.join(open_ones)}" if open_ones else "graded"
    percent = f"{100 * points / out_of:.2f}" if out_of else ""
    each = [number(row.points) for row in rows]
    late = _yes(any(row.late for row in rows))
    return [student, *each, number(points), number(out_of), percent, table.passes[student], late, status]


def total(rows: Iterable[Graded]) -> tuple[float, float]:
    """The points of some rows, and what they are out of."""
    rows = list(rows)
    return sum(row.points for row in rows), sum(row.out_of for row in rows)


def key(students: Iterable[str], names: Mapping[str, str]) -> str:
    """Who is behind each pseudonym, sorted by name."""
    ordered = sorted(students, key=lambda student: names.get(student, ""))
    return text_of(["student", "name"], ([student, names.get(student, "")] for student in ordered))


def _yes(value: bool) -> str:
    return "yes" if value else ""
