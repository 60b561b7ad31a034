"""What the report says, as plain JSON values: report.json is this, and report.html shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tunelings.classroom.clusters import Cluster
from tunelings.classroom.lecture import lecture
from tunelings.classroom.measures import Item, items
from tunelings.classroom.records import Graded, Outcome
from tunelings.classroom.table import Table
from tunelings.grading.states import CheckState
from tunelings.grading.text import visible
from tunelings.grading.verdict import Failure

VERSION = 1
BINS = 10  # of the histogram of scores
OF_THE_MANIFEST = ("seed", "isolation", "points")


def figures(table: Table, titles: Mapping[str, str], answers: Mapping[str, str]) -> dict[str, Any]:
    """The figures of a class; `answers` has the texts of answers by their hash."""
    klass = table.klass
    made = {
        "version": VERSION,
        "students": len(klass.students),
        "exercises": len(klass.exercises),
        "hidden_below": 0,
        "how": {name: klass.manifest[name] for name in OF_THE_MANIFEST if name in klass.manifest},
        "items": [_item(item) for item in items(table, titles, answers)],
        "scores": _scores(table),
        "to_look_at": [
            {**_who(row), "outcome": row.outcome.value, "reason": visible(row.reason)}
            for row in table
            if row.is_to_look_at
        ],
        "flags": [{**_who(row), "flags": [visible(flag) for flag in row.flags]} for row in table if row.flags],
    }
    return {**made, "lecture": lecture(made)}


def _who(row: Graded) -> dict[str, Any]:
    return {"student": row.student, "exercise": row.exercise}


def _item(item: Item) -> dict[str, Any]:
    return {
        "exercise": item.exercise,
        "title": item.title,
        "lesson": item.lesson,
        "students": item.students,
        "started": item.started,
        "passed": item.passed,
        "share": item.share,
        "discrimination": item.discrimination,
        "interval": item.interval,
        "why": item.why,
        "suspect": item.is_suspect,
        "seconds": item.seconds,
        "timeouts": item.groups.get(Outcome.TIMEOUT.value, 0),
        "named": item.groups.get("named mistake", 0),
        "unknown": item.unknown,
        "groups": dict(item.groups),
        "mistakes": [{"id": one.id, "says": one.says, "count": one.count} for one in item.mistakes],
        "clusters": [_cluster(cluster) for cluster in item.clusters],
    }


def _cluster(cluster: Cluster) -> dict[str, Any]:
    failure = cluster.failure or Failure("", _state(cluster), message=cluster.rows[0].reason)
    said = {
        "check": failure.check,
        "sentence": failure.sentence,
        "state": failure.state.value,
        "what": failure.what,
        "given": failure.given,
        "expected": failure.expected,
        "got": failure.got,
        "message": failure.message,
    }
    return {
        "id": cluster.id,
        "count": cluster.count,
        **{name: visible(text) for name, text in said.items()},
        "students": [row.student for row in cluster.rows],
        "answer_hash": cluster.answer_hash,
    }


def _state(cluster: Cluster) -> CheckState:
    return CheckState.BROKEN if cluster.does_not_load else CheckState.FAILED


def _scores(table: Table) -> list[dict[str, Any]]:
    """How many students pass how many exercises, in at most `BINS` ranges of equal width."""
    most = len(table.klass.exercises)
    width = max(1, -(-(most + 1) // BINS))
    counts = Counter(passed // width for passed in table.passes.values())
    return [
        {"from": low, "to": min(low + width - 1, most), "count": counts[low // width]}
        for low in range(0, most + 1, width)
    ]
