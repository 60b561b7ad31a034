"""The learner's files: reset and restore an answer, open it, remember which hints were read.

Nothing that a learner wrote is ever lost: before a file is replaced, it is kept beside itself, dated.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from datetime import datetime
from pathlib import Path

from tunelings import stubs
from tunelings.course import CourseError, Exercise, shown_path
from tunelings.progress import write_atomically

_DATED = re.compile(r"\.\d{4}-\d{2}-\d{2}-\d{6}(-\d+)?\.py$")


def stub_of(exercise: Exercise) -> str:
    return stubs.cut(exercise.solution_path.read_text(encoding="utf-8"))


def reset(exercise: Exercise) -> Path | None:
    """Put the stub back; returns where the learner's file is kept, or None if there was nothing to keep."""
    kept = _keep(exercise)
    exercise.answer_path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(exercise.answer_path, stub_of(exercise))
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


def editor_command(exercise: Exercise) -> list[str]:
    """The command that opens the answer: $VISUAL, $EDITOR, or VS Code where it is installed."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or shutil.which("code")
    if not editor:
        path = shown_path(exercise.answer_path)
        raise CourseError(f"No editor is known: open {path} yourself, or set the variable EDITOR.")
    command = shlex.split(editor) if not os.path.exists(editor) else [editor]
    if not shutil.which(command[0]):
        raise CourseError(f"The editor {command[0]!r} (from VISUAL or EDITOR) is not installed.")
    return [*command, str(exercise.answer_path)]


def next_hint(exercise: Exercise, level: int | None) -> tuple[int, str]:
    """The hint of a level (from 1), or the next one that was not read; the last one stays."""
    hints = exercise.card.hints
    if level is None:
        level = min(_read_levels(exercise).get(exercise.number, 0) + 1, len(hints))
    elif not 1 <= level <= len(hints):
        raise CourseError(f"{exercise.number} has hints 1 to {len(hints)}, and no hint {level}.")
    _remember(exercise, level)
    return level, hints[level - 1]


def _hints_path(exercise: Exercise) -> Path:
    return exercise.root / ".tunelings" / "hints.json"


def _read_levels(exercise: Exercise) -> dict[str, int]:
    try:
        levels = json.loads(_hints_path(exercise).read_text(encoding="utf-8"))
        return {str(number): int(level) for number, level in levels.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # Absent or damaged: the hints begin anew, nothing else hangs on it.


def _remember(exercise: Exercise, level: int) -> None:
    path = _hints_path(exercise)
    try:
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, json.dumps({**_read_levels(exercise), exercise.number: level}) + "\n")
    except OSError:
        pass  # A read-only folder: the hint is shown all the same.
