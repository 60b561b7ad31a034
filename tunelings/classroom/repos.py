"""Submissions that are git repositories: answers are read out of a commit, and nothing is ever checked out.

`repos.csv` has the columns name, address and, if wanted, ref (default: HEAD):

    name,address,ref
    anna,https://example.org/anna/tunelings.git,main
"""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tunelings.classroom.git import Git, TooMuch
from tunelings.classroom.handed_in import TOO_LARGE, Refused, Submission, choose_tree, tree_of, unreadable
from tunelings.course import CourseError, Exercise
from tunelings.grading.answers import LARGEST

AT_ONCE = 8  # fetches; they wait for the network, and not for a core
_REGULAR = {"100644", "100755"}

Wanted = tuple[str, str]  # an address and a ref


def read_all(table: Path, exercises: list[Exercise], folder: Path) -> list[Submission]:
    """The submission of each row of a CSV file; `folder` keeps what was fetched.

    Raises:
        CourseError: the file has no such columns, or git is not installed.
    """
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise CourseError(f"{table} is not a CSV file in UTF-8: {error}") from None
    if not rows or not {"name", "address"} <= rows[0].keys():
        raise CourseError(f"{table} needs a first line `name,address,ref`, and a line for each student.")
    named = [_named(row, line, table.parent) for line, row in enumerate(rows, 2)]
    found = _fetch_all(list(dict.fromkeys(wanted for _, wanted in named if wanted)), exercises, folder)
    return [
        replace(found[wanted], name=name) if wanted else Submission(name, problem=_NOTHING) for name, wanted in named
    ]


_NOTHING = "its line in the list has no name or no address"


def _named(row: Mapping[str, str | None], line: int, here: Path) -> tuple[str, Wanted | None]:
    """The name in a line of the list, and what is to be fetched for it; None where the line says too little."""
    name, address = ((row.get(key) or "").strip() for key in ("name", "address"))
    ref = (row.get("ref") or "").strip() or "HEAD"
    return name or f"line {line}", (_address(address, here), ref) if name and address else None


def _fetch_all(wanted: list[Wanted], exercises: list[Exercise], folder: Path) -> dict[Wanted, Submission]:
    """The submission, still without its name, in each repository; several are fetched at a time."""
    git = Git()
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="git")
    try:
        return dict(zip(wanted, pool.map(lambda one: _taken(git, one, exercises, folder), wanted), strict=True))
    finally:  # After Ctrl-C, too: nothing goes on behind the user's back.
        git.stop()
        pool.shutdown(cancel_futures=True)


def _taken(git: Git, wanted: Wanted, exercises: list[Exercise], folder: Path) -> Submission:
    store = folder / hashlib.sha256("\0".join(wanted).encode()).hexdigest()[:16]
    try:
        return _read(git, store, *wanted, exercises)
    except Refused as refused:
        if isinstance(refused, TooMuch):
            shutil.rmtree(store, ignore_errors=True)
        return Submission("", problem=str(refused), detail=refused.detail)
    except Exception as error:  # Whatever else one of them brings about, the others are graded.
        return unreadable("", error)


def _address(address: str, here: Path) -> str:
    """A relative path is taken from where the list is."""
    try:
        return str((here / address).resolve()) if (here / address).is_dir() else address
    except (OSError, ValueError):  # No path can be like this; git says what it thinks of it.
        return address


def _read(git: Git, store: Path, address: str, ref: str, exercises: list[Exercise]) -> Submission:
    for word in (address, ref):
        if word.startswith("-"):
            raise Refused("its line in the list has no address or no ref that git could take", repr(word))
    if not (store / "HEAD").exists():
        store.mkdir(parents=True, exist_ok=True, mode=0o700)
        git(store, "init", "--quiet", "--bare", "--template=", ".")
    git(store, "fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--force",
        "--no-write-fetch-head", address,
        f"{ref}:refs/grade/head")  # fmt: skip
    commit = "refs/grade/head^{commit}"  # A tag may be an object of its own.
    handed_in = _time(git(store, "show", "-s", "--format=%ct", commit))
    wanted = tree_of(exercises)
    entries = [_entry(line) for line in git(store, "ls-tree", "-r", "-z", "-l", commit).split(b"\0") if line]
    files = {tuple(path.split("/")): (mode, blob, size) for mode, blob, size, path in entries}
    place = choose_tree(files, wanted)
    answers: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    for (module, file), number in wanted.items():
        if (path := (*place, module, file)) not in files:
            continue
        mode, blob, size = files[path]
        if mode not in _REGULAR:
            refused[number] = "it is a link or a submodule"
        elif size > LARGEST:
            refused[number] = TOO_LARGE
        else:
            answers[number] = git(store, "cat-file", "blob", blob)
    return Submission("", answers, refused, handed_in=handed_in)


def _time(seconds: bytes) -> datetime | None:
    """When a commit says that it was made; None for a time that no calendar has, which git allows."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _entry(line: bytes) -> tuple[str, str, int, str]:
    """The mode, the object, the size and the path of a line of `git ls-tree -l`."""
    head, _, path = line.partition(b"\t")
    mode, _, blob, size = head.decode("ascii").split()
    return mode, blob, int(size) if size.isdigit() else 0, path.decode("utf-8", "surrogateescape")
