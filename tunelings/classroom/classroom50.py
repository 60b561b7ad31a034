"""Classroom 50's result.json (https://github.com/foundation50/classroom50, scripts/runner.py, "classroom50/result/v1").

Its runner sets the variables that say whose submission this is. Scores are whole numbers, so points are counted in
hundredths.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tunelings.classroom.records import Graded
from tunelings.classroom.table import Table, is_pass

SCHEMA = "classroom50/result/v1"
UNIT = 100  # one point
NEEDED = ("CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG", "USERNAME", "COMMIT_URL", "RELEASE_URL")


def is_there(environment: Mapping[str, str]) -> bool:
    """Classroom 50's runner has started this."""
    return all(environment.get(name) for name in NEEDED)


def result(table: Table, student: str, environment: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """result.json for one student; the runner itself writes when the graded commit was made in place of `now`."""
    tests = [_test(row) for row in table.of_student(student)]
    return {
        "schema": SCHEMA,
        "classroom": environment["CLASSROOM"],
        "assignment": environment["ASSIGNMENT"],
        "assignment_type": environment.get("ASSIGNMENT_TYPE") or "individual",
        "owner": environment["USERNAME"],
        "submission": environment["SUBMISSION_TAG"],
        "commit": environment["COMMIT_URL"],
        "release": environment["RELEASE_URL"],
        "review": environment.get("REVIEW_URL") or environment["COMMIT_URL"],
        "datetime": _utc(now),
        "graded_at": _utc(now),
        "score": sum(test["score"] for test in tests),
        "max-score": sum(test["max-score"] for test in tests),
        "tests": tests,
    }


def _test(row: Graded) -> dict[str, Any]:
    return {
        "test-name": row.exercise,
        "passed": is_pass(row),
        "score": round(UNIT * row.points),
        "max-score": round(UNIT * row.out_of),
    }


def _utc(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
