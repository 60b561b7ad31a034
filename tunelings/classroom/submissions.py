"""What students have handed in: a folder or a zip for each, or a list of git repositories. Everything here is hostile.

Only the files that the course asks for are taken. What can't be taken becomes a reason, and the rest is graded.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tunelings.classroom import folders, gradescope_times, repos, zips
from tunelings.classroom.handed_in import Refused, Submission, is_ignored, unreadable
from tunelings.course import CourseError, Exercise


def read_all(place: Path, exercises: Iterable[Exercise], repositories: Path) -> list[Submission]:
    """The submissions in a folder, or those that a CSV file of repositories names, sorted by name.

    repositories: where what is fetched from git is kept.

    Raises:
        CourseError: there is no such place, or nothing in it, or Gradescope's times in it can't be read.
    """
    exercises = list(exercises)
    if place.is_file() and place.suffix.lower() == ".csv":
        found = repos.read_all(place, exercises, repositories)
        names = [one.name for one in found]
    elif place.is_dir():
        times = gradescope_times.of_export(place)
        others = {gradescope_times.EXPORTED}
        names = sorted(name for name in os.listdir(place) if not is_ignored(name) and name not in others)
        found = [_at(read_one(place / name, exercises), times.get(name)) for name in names]
    else:
        raise CourseError(f"{place}: a folder with a folder or a zip for each student is needed, or a repos.csv.")
    if not found:
        raise CourseError(f"{place}: there are no submissions in it.")
    return _without_twins(found, names)


def read_single(path: Path, exercises: Iterable[Exercise]) -> Submission:
    """The one submission that `--single` names; raises CourseError where Gradescope's time beside it can't be read."""
    return _at(read_one(path, exercises), gradescope_times.of_autograder(path))


def _at(one: Submission, time: datetime | None) -> Submission:
    """The submission, handed in at the time that the server says where it says one."""
    return one if time is None else replace(one, handed_in=time)


def read_one(path: Path, exercises: Iterable[Exercise]) -> Submission:
    """The submission of one student: a folder, or a zip, whose name is the student's."""
    name = path.name.removesuffix(path.suffix) if path.suffix.lower() == ".zip" else path.name
    try:
        kind = os.lstat(path)
        if stat.S_ISLNK(kind.st_mode):
            raise Refused("it is a link, which is not followed")
        if stat.S_ISDIR(kind.st_mode):
            return folders.read(path, name, list(exercises))
        if stat.S_ISREG(kind.st_mode) and path.suffix.lower() == ".zip":
            return zips.read(path, name, list(exercises))
        raise Refused("it is neither a folder nor a zip")
    except Refused as refused:
        return Submission(name, problem=str(refused), detail=refused.detail)
    except OSError as error:
        return Submission(name, problem=f"it can't be read: {error.strerror or error}")
    except Exception as error:  # Whatever else one of them brings about, the others are graded.
        return unreadable(name, error)


def same_name(name: str) -> str:
    """What is equal for two names that a person, or a file system, takes for one."""
    return unicodedata.normalize("NFC", name).casefold()


def _without_twins(found: list[Submission], files: list[str]) -> list[Submission]:
    """Of two with one name neither is graded: nobody can say which one counts."""
    by_name: dict[str, list[tuple[Submission, str]]] = {}
    for one, file in zip(found, files, strict=True):
        by_name.setdefault(same_name(one.name), []).append((one, file))
    kept = []
    for alike in by_name.values():
        name = alike[0][0].name
        if len(alike) == 1:
            kept.append(alike[0][0])
        else:
            both = " and ".join(repr(file) for _, file in alike)
            kept.append(Submission(name, problem=f"{len(alike)} submissions have the same name", detail=both))
    return sorted(kept, key=lambda one: same_name(one.name))
