"""What students have handed in: a folder or a zip for each, or a list of git repositories. Everything here is hostile.

Only the files that the course asks for are taken. What can't be taken becomes a reason, and the rest is graded.
"""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tunelings.course import CourseError, Exercise
from tunelings.grading.answers import LARGEST

TOO_LARGE = f"the file is larger than {LARGEST / 1e6:g} MB"
_DEPTH = 2  # folders in which the tree of exercises/ may lie: anna/exercises/module01/…
_FOLDERS = 200  # that are looked into to find it


class Refused(Exception):
    """A submission, or one file of it, can't be taken; the message says why in one line."""


@dataclass(frozen=True)
class Submission:
    """What one student has handed in.

    answers: the content of each file that could be taken, by the exercise's number. refused: why not, likewise.
    problem: why nothing of it can be taken; "" where something could be.
    handed_in: when, as far as that can be known: when the newest file was changed, or the commit made.
    """

    name: str
    answers: Mapping[str, bytes] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    handed_in: datetime | None = None


def read_all(place: Path, exercises: Iterable[Exercise], repositories: Path) -> list[Submission]:
    """The submissions in a folder, or those that a CSV file of repositories names, sorted by name.

    repositories: where what is fetched from git is kept.

    Raises:
        CourseError: there is no such place, or nothing in it.
    """
    from tunelings.classroom import repos

    exercises = list(exercises)
    if place.is_file() and place.suffix.lower() == ".csv":
        found = repos.read_all(place, exercises, repositories)
    elif place.is_dir():
        names = sorted(name for name in os.listdir(place) if not _is_ignored(name))
        found = [read_one(place / name, exercises) for name in names]
    else:
        raise CourseError(f"{place}: a folder with a folder or a zip for each student is needed, or a repos.csv.")
    if not found:
        raise CourseError(f"{place}: there are no submissions in it.")
    return _without_twins(found)


def _is_ignored(name: str) -> bool:
    """What systems and programs leave in a folder, and no student."""
    return name.startswith(".") or name.casefold() in {"__macosx", "thumbs.db", "desktop.ini"}


def read_one(path: Path, exercises: Iterable[Exercise]) -> Submission:
    """The submission of one student: a folder, or a zip, whose name is the student's."""
    from tunelings.classroom import zips

    name = path.name.removesuffix(path.suffix) if path.suffix.lower() == ".zip" else path.name
    try:
        kind = os.lstat(path)
        if stat.S_ISLNK(kind.st_mode):
            raise Refused("it is a link, which is not followed")
        if stat.S_ISDIR(kind.st_mode):
            return _read_folder(path, name, list(exercises))
        if stat.S_ISREG(kind.st_mode) and path.suffix.lower() == ".zip":
            return zips.read(path, name, list(exercises))
        raise Refused("it is neither a folder nor a zip")
    except Refused as refused:
        return Submission(name, problem=str(refused))
    except OSError as error:
        return Submission(name, problem=f"it can't be read: {error.strerror}")


def choose_tree(folders: Iterable[tuple[str, ...]], wanted: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Where in a submission the tree of exercises/ lies, of the paths of the files in it.

    folders: the path of each file. wanted: the module and the file's name of each exercise.

    Raises:
        Refused: there is none, or more than one.
    """
    wanted = set(wanted)
    found = {path[:-2] for path in folders if 2 <= len(path) <= _DEPTH + 2 and (path[-2], path[-1]) in wanted}
    # Whoever hands in the whole course hands in the references too.
    found = {place for place in found if "solutions" not in place}
    found = {place for place in found if place[-1:] == ("exercises",)} or found
    if not found:
        raise Refused("none of the files that the course asks for is in it (module01/ex01_….py)")
    if len(found) > 1:
        places = ", ".join("/".join(place) or "the top" for place in sorted(found)[:3])
        raise Refused(f"the course's files are in it more than once: in {places}")
    return next(iter(found))


def tree_of(exercises: Iterable[Exercise]) -> dict[tuple[str, str], str]:
    """The number of each exercise by its module and its file's name."""
    return {(one.module, f"{one.name}.py"): one.number for one in exercises}


def _read_folder(path: Path, name: str, exercises: list[Exercise]) -> Submission:
    wanted = tree_of(exercises)
    try:
        place = choose_tree(_files_below(path, {module for module, _ in wanted}), wanted)
    except Refused:
        zipped = [
            entry for entry in os.scandir(path) if entry.name.lower().endswith(".zip") and not _is_ignored(entry.name)
        ]
        if len(zipped) != 1:  # As Moodle hands them out: a folder for each student, with what was uploaded in it.
            raise
        inside = read_one(Path(zipped[0].path), exercises)
        return Submission(name, inside.answers, inside.refused, inside.problem, inside.handed_in)
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
    """The paths of the files in the modules' folders, at most `_DEPTH` folders down; no link is followed."""
    found: list[tuple[str, ...]] = []
    queue: list[tuple[str, ...]] = [()]
    for _ in range(_FOLDERS):
        if not queue:
            break
        place = queue.pop(0)
        with os.scandir(path.joinpath(*place)) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name in modules or (len(place) < _DEPTH and not _is_ignored(entry.name)):
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


def same_name(name: str) -> str:
    """What is equal for two names that a person, or a file system, takes for one."""
    return unicodedata.normalize("NFC", name).casefold()


def _without_twins(found: list[Submission]) -> list[Submission]:
    """Of two with one name neither is graded: nobody can say which one counts."""
    by_name: dict[str, list[Submission]] = {}
    for one in found:
        by_name.setdefault(same_name(one.name), []).append(one)
    kept = []
    for alike in by_name.values():
        if len(alike) == 1:
            kept += alike
        else:
            names = " and ".join(repr(one.name) for one in alike)
            kept.append(Submission(alike[0].name, problem=f"{len(alike)} submissions have one name: {names}"))
    return sorted(kept, key=lambda one: same_name(one.name))
