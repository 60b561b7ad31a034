"""Where a project stands on disk, and how its results get there: whole, or not at all.

projects/tickets/
    project.toml            the settings, written by `new`, yours to change
    steps/data/             one folder for each step that is done, with result.json
    steps/.train/           a step that is under way; a run that was killed goes on from here
    report/                 report.md, report.html and pictures
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunelings.course import find_root
from tunelings.project.errors import ProjectError

SETTINGS = "project.toml"
RESULT = "result.json"
# What the training leaves: its losses, and the adapter or the whole model.
CURVES, LEARNED = "curves.jsonl", "model"
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)


@dataclass(frozen=True)
class Folder:
    """A project's folder."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def settings(self) -> Path:
        return self.path / SETTINGS

    @property
    def report(self) -> Path:
        return self.path / "report"

    def done(self, step: str) -> Path:
        """Where the result of a step stands once it is whole."""
        return self.path / "steps" / step

    def work(self, step: str) -> Path:
        """Where a step works until then."""
        return self.path / "steps" / f".{step}"

    def log(self, step: str) -> Path:
        """What the libraries and the answers printed while the step ran."""
        return self.path / "steps" / f"{step}.log"

    def is_new(self) -> bool:
        """Whether it isn't there, or holds no more than the log of a `new` that failed."""
        log = self.log("new")
        return not self.path.exists() or (log.exists() and set(self.path.rglob("*")) == {log, log.parent})

    def clear(self, but: Path | None) -> None:
        """Remove the folder, except for a log that a message has named."""
        kept = but.read_bytes() if but else b""
        shutil.rmtree(self.path, ignore_errors=True)
        if but:
            but.parent.mkdir(parents=True)
            but.write_bytes(kept)

    def result(self, step: str) -> dict[str, Any] | None:
        """What a step has said at its end; None where it has not ended, or its result can't be read."""
        return read_result(self.done(step))

    def begin(self, step: str, key: str) -> Path:
        """The folder that a step works in: that of a run that was interrupted, if it did the same; else a new one."""
        work = self.work(step)
        if read_text(work / "key") != key:
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            write(work / "key", key)
        remove_unfinished(work)
        return work

    def finish(self, step: str, result: dict[str, Any]) -> None:
        """Put the work in the place of the step's older result."""
        write(self.work(step) / RESULT, json.dumps(result, indent=1, ensure_ascii=False))
        self.put(step)

    def settle(self, step: str, key: str) -> None:
        """Put in place what a run has left that was killed after its last word."""
        if (read_result(self.work(step)) or {}).get("key") == key:
            self.put(step)

    def put(self, step: str) -> None:
        work, done, old = self.work(step), self.done(step), self.path / "steps" / f".{step}.old"
        shutil.rmtree(old, ignore_errors=True)
        if done.exists():
            os.replace(done, old)
        os.replace(work, done)
        shutil.rmtree(old, ignore_errors=True)


def find(name: str) -> Folder:
    """The project of this name (in the course's `projects/`), or of this path.

    Raises:
        ProjectError: there is none; the line names those that there are.
    """
    folder = place(name)
    if folder.settings.is_file():
        return folder
    known = sorted(path.parent.name for path in (find_root() / "projects").glob(f"*/{SETTINGS}"))
    there = f"there are {', '.join(known)}" if known else f"`tunelings project new {name} --data FILE` makes one"
    raise ProjectError(f"There is no project {name!r}: {there}.")


def expanded(name: str, base: Path = Path()) -> Path:
    """A path as it was typed: absolute, of a home folder, or from `base`.

    Raises:
        ProjectError: it can't be a path.
    """
    try:
        return (base / Path(name).expanduser()).resolve()
    except RuntimeError:
        raise ProjectError(f"{name!r} names a home folder that isn't there: write ~/… for your own.") from None
    except (ValueError, OSError) as error:
        raise ProjectError(f"{name!r} can't be a path: {error}.") from None


def place(name: str) -> Folder:
    """Where a project of this name stands, or would."""
    if Path(name).name != name:
        return Folder(expanded(name))
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise ProjectError(f"{name!r} can't be a project's name: use letters, digits, dots and dashes.")
    return Folder(find_root() / "projects" / name)


def unwritable(folder: Folder, error: OSError) -> str:
    """The line for an error of UNWRITABLE."""
    says = f"{folder.path} can't be written ({error.strerror})"
    return f"{says}: make it writable, or choose another place. Steps that are done stay done."


@contextlib.contextmanager
def writing(folder: Folder) -> Iterator[None]:
    """Raises ProjectError where the folder can't be written."""
    try:
        yield
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        raise ProjectError(unwritable(folder, error)) from None


# ---------------------------------------------------------------- files
def remove_unfinished(folder: Path) -> None:
    """What `write` leaves if it is killed."""
    for path in folder.glob(".*"):
        if path.is_file():
            path.unlink()


def write(path: Path, content: str) -> None:
    """Write a text whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_result(folder: Path) -> dict[str, Any] | None:
    try:
        return json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def read_text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None


def write_lines(path: Path, rows: Iterable[dict]) -> int:
    """Write rows as JSON Lines; returns how many."""
    count = 0
    with open(path, "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def append_line(path: Path, row: dict) -> None:
    """Add a row, in one write: a run that is killed leaves at most one line that is not whole, at the end."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")


def lines(path: Path) -> Iterator[dict]:
    """The rows of a JSON Lines file of ours; a last line that was cut short is left out."""
    if not path.exists():
        return
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.endswith("\n"):
                yield json.loads(line)


def digest(*parts: object) -> str:
    """A hash of settings and names: what a step's result depends on."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
