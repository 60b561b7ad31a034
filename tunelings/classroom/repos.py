"""Submissions that are git repositories: answers are read out of a commit, and nothing is ever checked out.

`repos.csv` has the columns name, address and, if wanted, ref (default: HEAD):

    name,address,ref
    anna,https://example.org/anna/tunelings.git,main
"""

from __future__ import annotations

import csv
import hashlib
import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from tunelings.classroom.handed_in import TOO_LARGE, Refused, Submission, choose_tree, tree_of
from tunelings.course import CourseError, Exercise
from tunelings.grading.answers import LARGEST

_PATIENCE = 300.0  # seconds for one fetch
_REGULAR = {"100644", "100755"}
# No question at the terminal, no protocol that runs commands, no configuration of the machine's.
_ENVIRONMENT = {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh", "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_ASKPASS": "true", "GIT_LFS_SKIP_SMUDGE": "1", "LC_ALL": "C"}  # fmt: skip


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
    return [_read_row(row, place, table.parent, exercises, folder) for place, row in enumerate(rows, 2)]


def _read_row(
    row: Mapping[str, str | None], line: int, here: Path, exercises: list[Exercise], folder: Path
) -> Submission:
    name, address = ((row.get(key) or "").strip() for key in ("name", "address"))
    ref = (row.get("ref") or "").strip() or "HEAD"
    try:
        if not name or not address:
            raise Refused("its line in the list has no name or no address")
        return _read(name, _address(address, here), ref, exercises, folder)
    except Refused as refused:
        return Submission(name or f"line {line}", problem=str(refused))


def _address(address: str, here: Path) -> str:
    """A relative path is taken from where the list is."""
    return str((here / address).resolve()) if (here / address).is_dir() else address


def _read(name: str, address: str, ref: str, exercises: list[Exercise], folder: Path) -> Submission:
    for word in (address, ref):
        if word.startswith("-"):
            raise Refused(f"{word!r} is no address or ref")
    store = folder / hashlib.sha256(f"{address}\0{ref}".encode()).hexdigest()[:16]
    if not (store / "HEAD").exists():
        store.mkdir(parents=True, exist_ok=True, mode=0o700)
        _git(store, "init", "--quiet", "--bare", "--template=", ".")
    _git(store, "fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--force", address,
         f"{ref}:refs/grade/head")  # fmt: skip
    commit = "refs/grade/head"
    handed_in = datetime.fromtimestamp(int(_git(store, "show", "-s", "--format=%ct", commit)), UTC)
    wanted = tree_of(exercises)
    entries = [_entry(line) for line in _git(store, "ls-tree", "-r", "-z", "-l", commit).split(b"\0") if line]
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
            answers[number] = _git(store, "cat-file", "blob", blob)
    return Submission(name, answers, refused, handed_in=handed_in)


def _entry(line: bytes) -> tuple[str, str, int, str]:
    """The mode, the object, the size and the path of a line of `git ls-tree -l`."""
    head, _, path = line.partition(b"\t")
    mode, _, blob, size = head.decode("ascii").split()
    return mode, blob, int(size) if size.isdigit() else 0, path.decode("utf-8", "surrogateescape")


def _git(store: Path, *words: str) -> bytes:
    command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", *words]
    try:
        done = subprocess.run(
            command, cwd=store, env={**os.environ, **_ENVIRONMENT, "GIT_DIR": "."}, timeout=_PATIENCE,
            stdin=subprocess.DEVNULL, capture_output=True,
        )  # fmt: skip
    except FileNotFoundError:
        raise CourseError("git is not installed, and a list of repositories needs it.") from None
    except subprocess.TimeoutExpired:
        raise Refused(f"git did not finish in {_PATIENCE:g} s") from None
    if done.returncode != 0:
        raise Refused(f"git can't read it: {reason_of(done.stderr.decode(errors='replace'))}")
    return done.stdout


def reason_of(said: str) -> str:
    """The line in which git says why it failed: the first that is an error, or else the last."""
    lines = said.strip().splitlines() or ["no reason given"]
    return next((line for line in lines if line.startswith(("fatal:", "ERROR:"))), lines[-1])[:200]
