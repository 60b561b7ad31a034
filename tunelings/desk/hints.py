"""The hints of an exercise, one after the other; which were read is remembered in `.tunelings/hints.json`."""

from __future__ import annotations

import json
from pathlib import Path

from tunelings.course import CourseError, Exercise
from tunelings.writing import remembered, write_atomically


def next_hint(exercise: Exercise, level: int | None) -> tuple[int, str]:
    """The hint of a level (from 1), or the next one that was not read; the last one stays."""
    hints = exercise.head.hints
    if level is None:
        level = min(_read_levels(exercise).get(exercise.number, 0) + 1, len(hints))
    elif not 1 <= level <= len(hints):
        raise CourseError(f"{exercise.number} has hints 1 to {len(hints)}, and no hint {level}.")
    _remember(exercise, level)
    return level, hints[level - 1]


def _hints_path(exercise: Exercise) -> Path:
    return exercise.root / ".tunelings" / "hints.json"


def _read_levels(exercise: Exercise) -> dict[str, int]:
    """Where the memory is missing or damaged, the hints begin anew; nothing else hangs on it."""
    return {number: level for number, level in remembered(_hints_path(exercise), int).items() if level > 0}


def _remember(exercise: Exercise, level: int) -> None:
    path = _hints_path(exercise)
    try:
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, json.dumps({**_read_levels(exercise), exercise.number: level}) + "\n")
    except OSError:
        pass  # A read-only folder: the hint is shown anyway.
