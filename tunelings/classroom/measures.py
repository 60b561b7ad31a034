"""The figures of the report: for each exercise who began, who passed, how it tells students apart, and what went wrong.

Discrimination is the point-biserial correlation of passing with the score in all other exercises (the "rest score", as
in Moodle's item analysis): with the exercise in its own score it would be too high. It is given for at least `ENOUGH`
starters of whom some pass and some don't.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tunelings.classroom.clusters import Cluster, clusters, is_unknown
from tunelings.classroom.records import Graded, Outcome
from tunelings.classroom.table import NOT_GRADED, NOT_STARTED, Table, is_pass, is_started
from tunelings.grading.states import ExerciseState

ENOUGH = 20
# Below it an item is looked at (https://easystats.github.io/performance/reference/item_discrimination.html, which
# cites Kelava and Moosbrugger 2020).
LOW = 0.2


@dataclass(frozen=True)
class Named:
    """A known mistake (or two that no check tells apart), and how many answers fail as it does."""

    id: str
    says: str
    count: int


@dataclass(frozen=True)
class Item:
    """One exercise in numbers.

    groups: how many students are in each group; together they are all students. The groups are "passed",
        "named mistake", "unknown failure", "in progress", and the outcomes that need no check.
    seconds: the median of what an answer's checks took; None where nothing ran.
    discrimination, interval: r and its 95% interval, by Fisher's transformation; None where `why` says so.
    flags: how many answers were flagged.
    """

    exercise: str
    title: str
    lesson: str
    students: int
    started: int
    groups: Mapping[str, int]
    mistakes: tuple[Named, ...]
    clusters: tuple[Cluster, ...]
    seconds: float | None
    discrimination: float | None
    interval: tuple[float, float] | None
    why: str
    flags: int

    @property
    def passed(self) -> int:
        return self.groups.get("passed", 0)

    @property
    def unknown(self) -> int:
        return self.groups.get("unknown failure", 0)

    @property
    def share(self) -> float | None:
        """The share of those who began that pass."""
        return self.passed / self.started if self.started else None

    @property
    def is_suspect(self) -> bool:
        """Those who pass it do no better elsewhere than those who don't: look at the check first."""
        return self.discrimination is not None and self.discrimination < LOW


def items(table: Table, titles: Mapping[str, str], answers: Mapping[str, str]) -> list[Item]:
    """The exercises in numbers; the one with most unknown failures first."""
    made = [_item(table, exercise, titles, answers) for exercise in table.klass.exercises]
    return sorted(made, key=lambda item: -item.unknown)


def _item(table: Table, exercise: str, titles: Mapping[str, str], answers: Mapping[str, str]) -> Item:
    rows = table.of_exercise(exercise)
    verdicts = [row.verdict for row in rows if row.verdict]
    seconds = [row.seconds for row in rows if row.seconds is not None]
    r, why = discrimination(table, exercise)
    started = sum(map(is_started, rows))
    return Item(
        exercise,
        titles.get(exercise) or (verdicts[0].title if verdicts else ""),
        verdicts[0].lesson if verdicts else "",
        len(rows),
        started,
        dict(Counter(map(group_of, rows)).most_common()),
        _named(rows),
        tuple(clusters(rows, answers)),
        statistics.median(seconds) if seconds else None,
        r,
        None if r is None else interval(r, started),
        why,
        sum(bool(row.flags) for row in rows),
    )


def group_of(row: Graded) -> str:
    if row.outcome in NOT_STARTED:
        return "not started"
    if row.outcome in NOT_GRADED:
        return "not graded"
    if is_pass(row) or row.outcome != Outcome.FAILED:
        return row.outcome.value
    if is_unknown(row):
        return "unknown failure"
    in_progress = row.verdict is not None and row.verdict.state == ExerciseState.IN_PROGRESS
    return "in progress" if in_progress else "named mistake"


def _named(rows: list[Graded]) -> tuple[Named, ...]:
    says: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for row in rows:
        if group_of(row) == "named mistake" and row.verdict and row.verdict.failure:
            mistakes = row.verdict.failure.mistakes
            key = " or ".join(mistake.id for mistake in mistakes)
            says[key] = " Or: ".join(mistake.says for mistake in mistakes)
            counts[key] += 1
    return tuple(Named(key, says[key], n) for key, n in sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def discrimination(table: Table, exercise: str) -> tuple[float | None, str]:
    """Of those who began: the correlation of passing (0 or 1) with the points in the other exercises; or why none."""
    rows = [row for row in table.of_exercise(exercise) if is_started(row)]
    passes = [float(is_pass(row)) for row in rows]
    rest = [table.points[row.student] - row.points for row in rows]
    if len(rows) < ENOUGH:
        return None, f"fewer than {ENOUGH} began"
    if len(set(passes)) < 2:
        return None, "all pass" if passes[0] else "none passes"
    if len(set(rest)) < 2:
        return None, "all have the same score elsewhere"
    return statistics.correlation(passes, rest), ""


def interval(r: float, n: int) -> tuple[float, float]:
    """The 95% interval of a correlation of n pairs (Fisher 1921): tanh(atanh(r) ± 1.96 / √(n − 3))."""
    if abs(r) >= 1:
        return r, r
    middle, half = math.atanh(r), 1.96 / math.sqrt(n - 3)
    return math.tanh(middle - half), math.tanh(middle + half)
