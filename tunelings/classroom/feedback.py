"""What one student is told: the texts that they would have seen on their own screen, and nothing of anybody else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from tunelings.classroom.csvfiles import total
from tunelings.classroom.records import Graded, Outcome
from tunelings.classroom.table import Table, is_pass, number
from tunelings.grading import render
from tunelings.grading.text import WIDTH, fitted, visible
from tunelings.grading.verdict import Verdict

SAYS = {
    Outcome.PASSED: "Every check passes.",
    Outcome.NOT_STARTED: "The file is still the stub.",
    Outcome.MISSING: "No file for this exercise was handed in.",
    Outcome.BROKEN: "The file can't be loaded: it isn't Python, or it raises an error when it is imported.",
    Outcome.TIMEOUT: "A check ran out of time, twice.",
    Outcome.MEMORY: "The answer needed more memory than a check may take.",
    Outcome.TAMPERED: "The answer changed the grader, so the results of the checks don't count.",
    Outcome.REFUSED: "The file wasn't accepted.",
    Outcome.NO_VERDICT: "The grader has no result: it stopped while checking this answer. Your instructor decides.",
}


def feedback(table: Table, student: str, titles: Mapping[str, str]) -> str:
    """The Markdown of one student's feedback."""
    rows = table.of_student(student)
    points, out_of = total(rows)
    late = " Handed in after the due date." if any(row.late for row in rows) else ""
    lines = [
        "# Feedback",
        "",
        f"{table.passes[student]} of {len(rows)} exercises pass: {number(points)} of {number(out_of)} points.{late}",
        "",
        "| exercise | result | points |",
        "|---|---|---|",
        *(f"| {title(row, titles)} | {row.outcome.value} | {number(row.points)} of {number(row.out_of)} |"
          for row in rows),
    ]  # fmt: skip
    for row in rows:
        if not is_pass(row):
            lines += ["", f"## {title(row, titles)}", "", *_section(row)]
    return "\n".join(lines) + "\n"


def title(row: Graded, titles: Mapping[str, str]) -> str:
    named = titles.get(row.exercise) or (row.verdict.title if row.verdict else "")
    return visible(f"{row.exercise} {named}".strip()).replace("|", "\\|")


def _section(row: Graded) -> list[str]:
    said = SAYS.get(row.outcome, "")
    reason = f"Reason: {visible(row.reason)}" if row.reason else ""
    lines = [part for part in (said, reason) if part]
    text = seen(row)
    if not text:
        return lines or ["This exercise doesn't pass."]
    # The fence is longer than any row of backticks in the text, so that no text of an answer can end it.
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return [*lines, *[""] * bool(lines), f"{fence}text", text, fence]


def seen(row: Graded) -> str:
    """What the student's own screen would have said of the failure; "" where there is none, or it doesn't count."""
    if row.verdict is None or row.verdict.failure is None or row.outcome == Outcome.TAMPERED:
        return ""
    verdict = at_home(row.verdict)
    assert verdict.failure is not None
    lines = [visible(part) for line in render.failure_lines(verdict, verdict.failure) for part in line.split("\n")]
    return fitted("\n".join(lines), WIDTH)


def at_home(verdict: Verdict) -> Verdict:
    """The verdict with the place of the answer in the student's own folder, not where it was graded."""
    parts = PurePosixPath(verdict.answer.replace("\\", "/")).parts[-2:]
    return replace(verdict, answer=PurePosixPath("exercises", *parts).as_posix())
