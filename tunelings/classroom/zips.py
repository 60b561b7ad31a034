"""A zip that a student has handed in: its wanted members are read in memory, and nothing is ever unpacked."""

from __future__ import annotations

import re
import stat
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from tunelings.classroom.handed_in import TOO_LARGE, Refused, Submission, choose_tree, tree_of
from tunelings.course import Exercise
from tunelings.grading.answers import LARGEST

ENTRIES = 10_000
BYTES = 50_000_000  # of all wanted files together, and of the zip itself


def read(path: Path, name: str, exercises: list[Exercise]) -> Submission:
    """The submission in a zip.

    Raises:
        Refused: it is no zip, encrypted, too large, or has members with forbidden paths. OSError: it can't be read.
    """
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    if path.stat().st_size > BYTES:
        raise Refused(f"the zip is larger than {BYTES / 1e6:g} MB")
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive, name, tree_of(exercises), changed)
    except (Refused, OSError):
        raise
    except Exception as error:  # zipfile and its decompressors have errors of their own, of many types.
        raise Refused("the zip is damaged", str(error)) from None


def _read(archive: zipfile.ZipFile, name: str, wanted: dict[tuple[str, str], str], changed: datetime) -> Submission:
    members = archive.infolist()
    if len(members) > ENTRIES:
        raise Refused(f"the zip has more than {ENTRIES:,} entries")
    paths = {member.filename: _parts(member) for member in members}
    files = [member for member in members if not member.is_dir() and paths[member.filename][0] != "__MACOSX"]
    place = choose_tree((paths[member.filename] for member in files), wanted)
    answers: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    for member in files:
        *folders, module, file = ("", *paths[member.filename])
        number = wanted.get((module, file))
        if number is None or tuple(folders[1:]) != place:
            continue
        if number in answers or number in refused:
            answers.pop(number, None)
            refused[number] = "the zip has the file twice"
            continue
        try:
            answers[number] = _content(archive, member)
        except Refused as problem:
            refused[number] = str(problem)
        if sum(map(len, answers.values())) > BYTES:
            raise Refused(f"its files are larger than {BYTES / 1e6:g} MB together")
    return Submission(name, answers, refused, handed_in=changed)


def _parts(member: zipfile.ZipInfo) -> tuple[str, ...]:
    """The parts of a member's path; one path that leads out is reason enough to take nothing of the zip."""
    path = member.orig_filename
    bad = "\\" in path or "\0" in path or path.startswith("/") or re.match(r"[A-Za-z]:", path)
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    if bad or ".." in parts or not parts:
        raise Refused("a path in the zip leads out of it", repr(path[:80]))
    return parts


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """A member's content, read up to a limit, whatever size it claims."""
    kind = member.external_attr >> 16
    if kind and stat.S_IFMT(kind) not in (0, stat.S_IFREG):
        raise Refused("it is a link or another special file")
    if member.flag_bits & 0x1:
        raise Refused("it is encrypted")
    try:
        with archive.open(member) as file:
            content = file.read(LARGEST + 1)
    except Exception as error:
        raise Refused("it is damaged", str(error)) from None
    if len(content) > LARGEST:
        raise Refused(TOO_LARGE)
    return content
