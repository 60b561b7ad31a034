"""What a run was made with, so that another can be compared with it: hashes, versions, the seed and the isolation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tunelings import __version__
from tunelings.classroom import keys
from tunelings.classroom.engine import Plan
from tunelings.classroom.handed_in import Submission

VERSION = 1  # grows when a field changes its meaning or goes


def manifest(plan: Plan, submissions: Iterable[Submission], pseudonyms: Mapping[str, str]) -> dict[str, Any]:
    """As plain JSON values; nothing in it depends on the order or the number of jobs, and no name is in it."""
    return {
        "version": VERSION,
        "tunelings": __version__,
        "seed": plan.seed,
        "isolation": plan.isolation.value,
        "due": plan.due.isoformat() if plan.due else None,
        "surroundings": keys.surroundings(plan.course),
        "exercises": {one.number: keys.exercise_hashes(one) for one in plan.exercises},
        "handed_in": {
            pseudonyms[one.name]: one.handed_in.isoformat(timespec="seconds") if one.handed_in else None
            for one in submissions
        },
    }
