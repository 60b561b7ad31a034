"""Which stub was written last to a file of exercises/, so that it may be replaced and nothing else is.

`.tunelings/stubs.json` maps an exercise's number to the SHA-256 of the stub that `reset`, `dev stubs` or `dev new`
wrote. Where it does not exist, as in a fresh clone, git says what the file was committed as.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tunelings.course import Exercise
from tunelings.grading import stubs
from tunelings.writing import read_regular, remembered, write_atomically, write_if_changed


def write_stub(exercise: Exercise, stub: str) -> None:
    """Write `stub` to exercises/ and remember it; whether it may be replaced is the caller's question."""
    exercise.answer_path.parent.mkdir(parents=True, exist_ok=True)
    write_if_changed(exercise.answer_path, stub)
    path = _memory(exercise)
    try:
        path.parent.mkdir(exist_ok=True)
        known = {**remembered(path, str), exercise.number: _digest(stub)}
        write_atomically(path, json.dumps(known, indent=1, sort_keys=True) + "\n")
    except OSError:
        pass  # A read-only folder: the stub is there anyway.


def may_be_replaced(exercise: Exercise, stub: str) -> bool:
    """Nobody has written in the file: it is as this course wrote it, or as a clone's commit has it, with its TODOs."""
    return is_as_written(exercise, stub) or _committed(exercise)


def is_as_written(exercise: Exercise, stub: str) -> bool:
    """The file is missing, or it is `stub` or the stub that was written last, to the letter."""
    try:
        text = read_regular(exercise.answer_path)
    except FileNotFoundError:
        return True
    except (OSError, UnicodeDecodeError):
        return False
    return text == stub or remembered(_memory(exercise), str).get(exercise.number) == _digest(text)


def _committed(exercise: Exercise) -> bool:
    """The file is the stub of the solution as it stood in the commit that last changed the file in exercises/.

    In that commit, not in HEAD, the two belong together: a solution may have been committed since without its stub.
    """
    try:
        text = read_regular(exercise.answer_path)
    except (OSError, UnicodeDecodeError):
        return False
    commit = _git(exercise, "log", "-1", "--format=%H", "--", str(exercise.answer_path))
    if not commit:
        return False
    answer, solution = (
        _git(exercise, "show", f"{commit.strip()}:./{path.relative_to(exercise.root).as_posix()}")
        for path in (exercise.answer_path, exercise.solution_path)
    )
    if solution is None:
        return False
    try:
        stub = stubs.cut(solution)
        still_open, total = stubs.open_todos(text, stub)
        return text == stub or text == answer and len(still_open) == total
    except (stubs.StubError, SyntaxError, ValueError):
        return False


def _git(exercise: Exercise, *args: str) -> str | None:
    """What git prints, or None where it fails or is not installed."""
    import subprocess

    command = ["git", "-C", str(exercise.root), *args]
    try:
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace")
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def _memory(exercise: Exercise) -> Path:
    return exercise.root / ".tunelings" / "stubs.json"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
