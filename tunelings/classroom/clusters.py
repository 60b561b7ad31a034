"""Failures that no known mistake explains, and answers that don't load, put together where the same came out."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tunelings.classroom.records import Graded, Outcome
from tunelings.grading.states import CheckState, ExerciseState
from tunelings.grading.verdict import Failure


@dataclass(frozen=True)
class Cluster:
    """Answers to one exercise that fail at the same check, in the same way, with the same value.

    Those that don't load (`does_not_load`) are together where the same error ends the import.

    id: its name, such as "1.05-3f9c21"; it depends on what came out alone, so it stays from run to run.
    answer_hash: of the answer that is shown: the most frequent one.
    """

    id: str
    exercise: str
    failure: Failure | None
    rows: tuple[Graded, ...]
    answer_hash: str

    @property
    def count(self) -> int:
        return len(self.rows)

    @property
    def does_not_load(self) -> bool:
        return self.rows[0].outcome == Outcome.BROKEN


def is_unknown(row: Graded) -> bool:
    """The answer fails, it's no TODO that is left, and no known mistake fails like it."""
    if row.outcome != Outcome.FAILED:
        return False
    if row.verdict is None or row.verdict.failure is None:
        return True
    return row.verdict.state != ExerciseState.IN_PROGRESS and not row.verdict.failure.mistakes


def clusters(rows: Iterable[Graded], answers: Mapping[str, str]) -> list[Cluster]:
    """The clusters of one exercise's rows, the largest first; `answers` has the texts that can be shown."""
    groups: dict[str, list[Graded]] = {}
    for row in rows:
        if is_unknown(row) or row.outcome == Outcome.BROKEN:
            groups.setdefault(_key(row), []).append(row)
    made = [_cluster(key, group, answers) for key, group in groups.items()]
    return sorted(made, key=lambda one: (-one.count, one.id))


def _cluster(key: str, rows: list[Graded], answers: Mapping[str, str]) -> Cluster:
    exercise = rows[0].exercise
    digest = hashlib.sha256(f"{exercise} {key}".encode("utf-8", "surrogatepass")).hexdigest()[:6]
    counts = Counter(row.answer_hash for row in rows if row.answer_hash in answers)
    shown = min(counts, key=lambda one: (-counts[one], len(answers[one]), one), default="")
    failure = rows[0].verdict.failure if rows[0].verdict else None
    return Cluster(f"{exercise}-{digest}", exercise, failure, tuple(rows), shown)


def _key(row: Graded) -> str:
    """What two failures must have in common: the check, its state, what was compared, and what came out."""
    failure = row.verdict.failure if row.verdict else None
    if row.outcome == Outcome.BROKEN:
        return json.dumps(["", CheckState.BROKEN.value, *import_error(failure.message if failure else row.reason)])
    if failure is None:
        return json.dumps(["", "", "", row.reason])
    came_out = row.fingerprints.get(failure.check)
    value = failure.message or failure.got if came_out is None else came_out
    return json.dumps([failure.check, failure.state.value, failure.what, value])


_RAISES = "loading the file raises "


def import_error(message: str) -> tuple[str, str]:
    """The type and the last line of the error with which an answer doesn't load; of a syntax error what is wrong.

    `message` is an `AnswerError`'s. Its line number is left out, and the line itself: they are each answer's own.
    """
    lines = re.sub(r"^line \d+(: | )", "", message).split("\n")
    if not lines[0].startswith(_RAISES):
        return "SyntaxError", lines[0]
    kind, _, text = lines[0].removeprefix(_RAISES).partition(": ")
    return kind, lines[-1] if len(lines) > 1 else text
