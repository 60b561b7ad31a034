"""The learner's files: reset and restore an answer.

Nothing that a learner wrote is ever lost: before a file is replaced, its content is kept beside it, dated. Every file
is written aside and then renamed, so that a full disk or a kill leaves the old one or the new one, and never a part.
A file that is too large for an answer is never read or copied: it may be terabytes of nothing.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from tunelings.course import CourseError, Exercise, shown_path
from tunelings.desk.written import write_stub
from tunelings.grading import stubs
from tunelings.grading.answers import LARGEST
from tunelings.writing import copy_atomically, is_regular, read_regular, set_aside, write_atomically

_DATED = re.compile(r"\.(\d{4}-\d{2}-\d{2}-\d{6})(?:-(\d+))?\.py$")


def stub_of(exercise: Exercise) -> str:
    """The stub of an exercise, cut from its solution; CourseError where that cannot be done."""
    try:
        return stubs.cut(read_regular(exercise.solution_path))
    except (stubs.StubError, OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{shown_path(exercise.solution_path)} gives no stub: {error}") from None


def reset(exercise: Exercise) -> Path | None:
    """Put the stub back; returns where the learner's file is kept, or None if there was nothing to keep.

    Raises:
        CourseError: the folder cannot be written, or the disk is full; then the file is as it was.
    """
    stub = stub_of(exercise)
    with _told(f"{shown_path(exercise.answer_path)} couldn't be reset and is unchanged"), _kept(exercise, stub) as kept:
        write_stub(exercise, stub)
    return kept


def restore(exercise: Exercise) -> Path:
    """Bring the newest kept file back (what stands there now is kept in its turn); returns what was restored.

    Raises:
        CourseError: there is no kept file, or the answer cannot be written; then it is as it was.
    """
    with _told(f"{shown_path(exercise.answer_path)} couldn't be restored and is unchanged"):
        found = [path for path in backups(exercise) if not _is_empty(path)]
        if not found:
            raise CourseError(f"{exercise.number} has no kept file: tunelings reset makes one.")
        newest = found[-1]
        with _kept(exercise, stub_of(exercise)):
            if _is_large(newest):
                os.replace(newest, exercise.answer_path)
            else:
                write_atomically(exercise.answer_path, newest.read_bytes())
    return newest


def backups(exercise: Exercise) -> list[Path]:
    """The kept files of an exercise, in the order in which they were kept."""
    path = exercise.answer_path
    found = (p for p in path.parent.glob(f"{path.stem}.*.py") if _DATED.search(p.name) and is_regular(p))
    return sorted(found, key=_place)


@contextlib.contextmanager
def _kept(exercise: Exercise, stub: str) -> Iterator[Path | None]:
    """Where the answer's file is kept while another takes its place, and after; if none does, it is as it was."""
    path = exercise.answer_path
    kept = _keep(exercise, stub)
    try:
        yield kept
    except OSError:
        if kept and os.path.lexists(path):
            kept.unlink()
        elif kept:
            os.replace(kept, path)
        raise


def _keep(exercise: Exercise, stub: str) -> Path | None:
    path = exercise.answer_path
    if not path.exists():
        return None
    if not is_regular(path):
        return set_aside(path)
    earlier = backups(exercise)
    if _is_empty(path) or _holds(path, stub.encode()) or (earlier and _is_the_same(path, earlier[-1])):
        return None
    kept = path.with_name(f"{path.stem}.{_next_date(earlier)}.py")
    if not path.is_symlink():
        with contextlib.suppress(OSError):  # Not every file system gives a file a second name.
            os.link(path, kept)
            return kept
    if _is_large(path):
        os.replace(path, kept)
        return kept
    copy_atomically(path, kept)
    with contextlib.suppress(OSError):  # Its mode and times are of less weight than its content.
        shutil.copystat(path, kept)
    return kept


def _is_large(path: Path) -> bool:
    return path.stat().st_size > LARGEST


def _is_empty(path: Path) -> bool:
    return not _is_large(path) and not path.read_bytes().strip()


def _holds(path: Path, content: bytes) -> bool:
    return path.stat().st_size == len(content) and path.read_bytes() == content


def _is_the_same(path: Path, kept: Path) -> bool:
    """A large file counts as another, unless it is one file with two names."""
    return path.samefile(kept) or not (_is_large(path) or _is_large(kept)) and _holds(path, kept.read_bytes())


def _next_date(earlier: list[Path]) -> str:
    """Now, or the newest name's date and a number: by its name, a later file comes later, whatever the clock says."""
    now = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    if not earlier or (now, 0) > _place(earlier[-1]):
        return now
    date, number = _place(earlier[-1])
    return f"{date}-{number + 1}"


def _place(kept: Path) -> tuple[str, int]:
    """The date of a kept file, and its number among those of that date."""
    found = _DATED.search(kept.name)
    assert found
    return found[1], int(found[2] or 0)


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """An error of the file system as one line that begins with `what`."""
    try:
        yield
    except OSError as error:
        raise CourseError(f"{what}: {error.strerror or error}.") from None
