"""One student's submission: what could be taken of it, why the rest could not, and where in it the answers lie."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tunelings.course import Exercise
from tunelings.grading.answers import LARGEST

TOO_LARGE = f"the file is larger than {LARGEST / 1e6:g} MB"
DEPTH = 2  # folders in which the tree of exercises/ may lie: anna/exercises/module01/…


class Refused(Exception):
    """A submission, or one file of it, can't be taken; the message says why in one line.

    detail: what only the instructor sees, on the screen: names and addresses, which stand in no result.
    """

    def __init__(self, reason: str, detail: str = ""):
        super().__init__(reason)
        self.detail = detail


@dataclass(frozen=True)
class Submission:
    """What one student has handed in.

    answers: the content of each file that could be taken, by the exercise's number. refused: why not, likewise.
    problem: why nothing of it can be taken; "" where something could be.
    handed_in: when, as far as that can be known: what Gradescope says, or else when the newest file was changed or the
        commit made.
    detail: as in `Refused`.
    """

    name: str
    answers: Mapping[str, bytes] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    handed_in: datetime | None = None
    detail: str = ""


def unreadable(name: str, error: Exception) -> Submission:
    """A submission that brought about an error that nobody foresaw; its text may hold names."""
    return Submission(name, problem=f"it can't be read ({type(error).__name__})", detail=str(error)[:200])


def is_ignored(name: str) -> bool:
    """What systems and programs leave in a folder, and no student."""
    return name.startswith(".") or name.casefold() in {"__macosx", "thumbs.db", "desktop.ini"}


def choose_tree(folders: Iterable[tuple[str, ...]], wanted: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Where in a submission the tree of exercises/ lies, of the paths of the files in it.

    folders: the path of each file. wanted: the module and the file's name of each exercise.

    Raises:
        Refused: there is none, or more than one.
    """
    wanted = set(wanted)
    found = {path[:-2] for path in folders if 2 <= len(path) <= DEPTH + 2 and (path[-2], path[-1]) in wanted}
    # Whoever hands in the whole course hands in the references too.
    found = {place for place in found if "solutions" not in place}
    found = {place for place in found if place[-1:] == ("exercises",)} or found
    if not found:
        raise Refused("none of the files that the course asks for is in it (module01/ex01_….py)")
    if len(found) > 1:
        places = ", ".join("/".join(place) or "the top" for place in sorted(found)[:3])
        raise Refused("the course's files are in it more than once", places)
    return next(iter(found))


def tree_of(exercises: Iterable[Exercise]) -> dict[tuple[str, str], str]:
    """The number of each exercise by its module and its file's name."""
    return {(one.module, f"{one.name}.py"): one.number for one in exercises}
