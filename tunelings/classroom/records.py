"""What grading a class finds, as plain data: what the results, the feedback and the report are made from."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tunelings.grading.verdict import Verdict


class Outcome(enum.StrEnum):
    """How one student's answer to one exercise came out; only PASSED is a pass."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_STARTED = "not started"
    MISSING = "missing"  # The submission has no such file.
    BROKEN = "broken"  # The file can't be read or compiled.
    TIMEOUT = "timeout"
    MEMORY = "memory"
    TAMPERED = "tampered"  # The answer changed the grader.
    REFUSED = "refused"  # The file or the whole submission can't be taken; `reason` says why.
    NO_VERDICT = "no verdict"  # The grader's own fault: the exercise has to be graded again.


@dataclass(frozen=True)
class Graded:
    """One student's answer to one exercise.

    student: the pseudonym; names stand in the key alone.
    exercise: its number, such as "1.05".
    points, out_of: 1 of 1 for a pass; with `--points checks` the share of checks that pass.
    seconds: processor and waiting time of its checks together; None where nothing ran.
    verdict: what the student would have seen; None where nothing ran.
    reason: why there is no verdict, in one line, or how the answer ended its grader; "" where the verdict says all.
    flags: what to look at by hand, such as "reads solutions/"; shown, never punished.
    fingerprints: for each failing check, what came out, by which equal failures are found.
    answer_hash: of the answer's content; "" where there is none.
    """

    student: str
    exercise: str
    outcome: Outcome
    points: float = 0.0
    out_of: float = 1.0
    seconds: float | None = None
    verdict: Verdict | None = None
    reason: str = ""
    flags: tuple[str, ...] = ()
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    answer_hash: str = ""
    late: bool = False

    @property
    def is_to_look_at(self) -> bool:
        """A person has to look at it: the checks have not said all that there is to say."""
        ended_its_grader = self.outcome == Outcome.FAILED and bool(self.reason)
        return ended_its_grader or self.outcome in {Outcome.TAMPERED, Outcome.REFUSED, Outcome.NO_VERDICT}


@dataclass(frozen=True)
class Class:
    """Everything that was found: one row per student and exercise, and how it was found (`manifest`)."""

    students: tuple[str, ...]
    exercises: tuple[str, ...]
    rows: tuple[Graded, ...]
    manifest: Mapping[str, Any] = field(default_factory=dict)
