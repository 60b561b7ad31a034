"""The learner's files: reset and restore an answer.

Nothing that a learner wrote is ever lost: before a file is replaced, it is kept beside itself, dated.
"""

from __future__ import annotations

import re
import shutil
from datetime import datetime
from pathlib import Path

from tunelings.course import CourseError, Exercise
from tunelings.desk.written import write_stub
from tunelings.grading import stubs

_DATED = re.compile(r"\.\d{4}-\d{2}-\d{2}-\d{6}(-\d+)?\.py$")


def stub_of(exercise: Exercise) -> str:
    return stubs.cut(exercise.solution_path.read_text(encoding="utf-8"))


def reset(exercise: Exercise) -> Path | None:
    """Put the stub back; returns where the learner's file is kept, or None if there was nothing to keep."""
    kept = _keep(exercise)
    write_stub(exercise, stub_of(exercise))
    return kept


def restore(exercise: Exercise) -> Path:
    """Bring the newest kept file back (what stands there now is kept in its turn); returns what was restored."""
    kept = backups(exercise)
    if not kept:
        raise CourseError(f"{exercise.number} has no kept file: tunelings reset makes one.")
    _keep(exercise)
    shutil.copyfile(kept[-1], exercise.answer_path)
    return kept[-1]


def backups(exercise: Exercise) -> list[Path]:
    """The kept files of an exercise, oldest first."""
    path = exercise.answer_path
    kept = [p for p in path.parent.glob(f"{path.stem}.*.py") if _DATED.search(p.name)]
    return sorted(kept, key=lambda p: p.stem)


def _keep(exercise: Exercise) -> Path | None:
    path = exercise.answer_path
    if not path.exists():
        return None
    content = path.read_bytes()
    known = [stub_of(exercise).encode(), *(kept.read_bytes() for kept in backups(exercise)[-1:])]
    if content in known:
        return None
    stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    kept = path.with_name(f"{path.stem}.{stamp}.py")
    for number in range(1, 100):
        if not kept.exists():
            break
        kept = path.with_name(f"{path.stem}.{stamp}-{number}.py")
    shutil.copy2(path, kept)
    return kept
