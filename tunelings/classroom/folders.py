"""A folder that a student has handed in: wanted files are opened below it, and no link is followed."""

from __future__ import annotations

import errno
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

from tunelings.classroom import zips
from tunelings.classroom.handed_in import DEPTH, TOO_LARGE, Refused, Submission, choose_tree, is_ignored, tree_of
from tunelings.course import Exercise
from tunelings.grading.answers import LARGEST

_FOLDERS = 200  # that are looked into to find the course's files


def read(path: Path, name: str, exercises: list[Exercise]) -> Submission:
    """The submission in a folder.

    Raises:
        Refused: the course's files are not in it, or more than once. OSError: it can't be read.
    """
    wanted = tree_of(exercises)
    modules = {module for module, _ in wanted}
    try:
        place = choose_tree(_files_below(path, modules), wanted)
    except Refused:
        for module in sorted(modules):
            if any(path.joinpath(*where, module).is_symlink() for where in ((), ("exercises",))):
                raise Refused(f"{module} is a link, which is not followed") from None
        zipped = [
            entry
            for entry in os.scandir(path)
            if entry.name.lower().endswith(".zip")
            and not is_ignored(entry.name)
            and entry.is_file(follow_symlinks=False)
        ]
        if len(zipped) != 1:  # As Moodle hands them out: a folder for each student, with what was uploaded in it.
            raise
        return zips.read(Path(zipped[0].path), name, exercises)
    answers: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    newest = 0.0
    for (module, file), number in wanted.items():
        try:
            answers[number], changed = _read_inside(path, (*place, module, file))
            newest = max(newest, changed)
        except FileNotFoundError:
            continue
        except Refused as problem:
            refused[number] = str(problem)
        except OSError as error:
            refused[number] = f"the file can't be read: {error.strerror}"
    return Submission(name, answers, refused, handed_in=datetime.fromtimestamp(newest, UTC) if newest else None)


def _files_below(path: Path, modules: set[str]) -> list[tuple[str, ...]]:
    """The paths of the files in the modules' folders, at most `DEPTH` folders down; no link is followed."""
    found: list[tuple[str, ...]] = []
    queue: list[tuple[str, ...]] = [()]
    for _ in range(_FOLDERS):
        if not queue:
            break
        place = queue.pop(0)
        with os.scandir(path.joinpath(*place)) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name in modules or (len(place) < DEPTH and not is_ignored(entry.name)):
                        queue.append((*place, entry.name))
                elif place and place[-1] in modules:
                    found.append((*place, entry.name))
    return found


def _read_inside(folder: Path, parts: tuple[str, ...]) -> tuple[bytes, float]:
    """The content of a regular file in a folder, and when it was changed; no part of its path may be a link.

    Raises:
        FileNotFoundError: there is none. Refused: it is no regular file, behind a link, or too large. OSError.
    """
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        for part in parts[:-1]:
            inner = _open_at(here, part, os.O_DIRECTORY)
            os.close(here)
            here = inner
        number = _open_at(here, parts[-1], os.O_NONBLOCK)
    finally:
        os.close(here)
    with os.fdopen(number, "rb") as file:
        kind = os.fstat(number)
        if not stat.S_ISREG(kind.st_mode):
            raise Refused("it is no regular file")
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Refused(TOO_LARGE)
    return content, kind.st_mtime


def _open_at(folder: int, name: str, flags: int) -> int:
    try:
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | flags, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Refused("it is a link, which is not followed") from None
        if error.errno == errno.ENOTDIR:
            raise Refused("a folder in its path is a link or a file") from None
        raise
