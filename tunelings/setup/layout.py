"""Lay the course out in a folder, and bring newer files into it.

The files are those that the package carries (`course.carried`); the stubs of `exercises/` are cut from its solutions.
`.tunelings/course.json` says what was laid out:

    {"version": 1, "course": "0.1.0", "files": {"checks/module01/test_ex01_squares.py": "<SHA-256>", …}}

so that a file which the learner has changed is known. Nothing that a learner wrote is lost: an answer is never
touched (a newer stub comes beside it), and any other changed file, such as an earlier newer stub, is kept beside the
newer one, dated. Every file is written aside and renamed, and the manifest is written last: after an interruption the
same call goes on. Until then `.tunelings/unfinished` says which version is being laid out, so that an older package
leaves the folder alone, and what was kept, so that the call that ends it can tell.
"""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from packaging.version import InvalidVersion, Version

from tunelings import __version__
from tunelings.course import MANIFEST, UNFINISHED, Course, CourseError, Exercise, carried, shown_path
from tunelings.desk import files, written
from tunelings.writing import write_atomically

VERSION = 1
PARTS = ("solutions", "checks", "docs", "figures/results", "data", ".vscode", "mkdocs.yml", "CONTRIBUTING.md")
NOT_LAID_OUT = ("data/full",)  # The full data sets that the gpu runs download.
PYTEST_INI = (
    "[pytest]\naddopts = -p tunelings.grading.plugin --import-mode=importlib\ntestpaths = checks\ntimeout = 600\n"
)
GITIGNORE = ".venv/\n__pycache__/\n.pytest_cache/\n.tunelings/\n/STATUS.md\nsite/\nruns/\ndata/full/\n"
MADE = {"pytest.ini": PYTEST_INI, ".gitignore": GITIGNORE}
Report = Callable[[int, int], None]  # (files that are done, of how many)


@dataclass
class Outcome:
    """What laying out has changed; paths are relative to the course's folder, with forward slashes."""

    written: list[str] = field(default_factory=list)  # new or renewed
    removed: list[str] = field(default_factory=list)  # no longer part of the course, and unchanged by the learner
    kept: dict[str, str] = field(default_factory=dict)  # a changed file -> where the learner's is kept
    stubs: dict[str, str] = field(default_factory=dict)  # an answer that was left alone -> its newer stub beside it


def lay_out(root: Path, report: Report = lambda done, total: None) -> Outcome:
    """Bring every file of the course into `root` (made if it is not there), and say what has changed.

    Raises:
        CourseError: the folder holds a newer version, and nothing is changed; or the disk is full, or the folder cannot
            be written: what is there stays, and the same call goes on.
    """
    if is_newer(root):
        part = "part of " if (root / UNFINISHED).exists() else ""
        raise CourseError(
            f"{shown_path(root)} holds {part}version {_latest_in(root)}, and this is {__version__}: nothing was "
            "changed. `pip install --upgrade tunelings` or `uvx tunelings@latest` brings the newer one."
        )
    outcome = Outcome(kept=_kept_in(root / UNFINISHED))
    try:
        _mark_unfinished(root, outcome)
    except OSError as error:
        raise CourseError(
            f"{shown_path(root)} can't be written ({error.strerror or error}), and nothing was changed: put that "
            "right, or give another folder, and run the command again."
        ) from None
    try:
        _lay_out(root, report, outcome)
        return outcome
    except OSError as error:
        remedy = "Free about 20 MB" if error.errno == errno.ENOSPC else "Put that right"
        where = f" ({shown_path(Path(error.filename))})" if error.filename else ""
        raise CourseError(
            f"{shown_path(root)} is only partly set up: {error.strerror or error}{where}. {remedy}, and run the same "
            "command again to continue."
        ) from None


def _mark_unfinished(root: Path, outcome: Outcome) -> None:
    mark = root / UNFINISHED
    mark.parent.mkdir(parents=True, exist_ok=True)
    remedy = "Run `tunelings init` in this folder to continue."
    said = {"course": __version__, "unfinished": remedy, "kept": outcome.kept}
    write_atomically(mark, json.dumps(said, indent=1) + "\n")


def _kept_in(mark: Path) -> dict[str, str]:
    """What an interrupted call has kept, and where."""
    try:
        return {str(name): str(kept) for name, kept in json.loads(mark.read_text(encoding="utf-8"))["kept"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _lay_out(root: Path, report: Report, outcome: Outcome) -> None:
    source = Course(carried())
    before, now = laid_out(root), {}
    besides: dict[str, str] = {}  # newer stubs beside answers, with their SHA-256
    paths = dict(_carried_files(source.root))
    total = len(paths) + len(MADE) + len(source.exercises)
    for name, path in paths.items():
        content = path.read_bytes()
        now[name] = _digest(content)
        _bring(root, name, content, before.get(name), outcome)
        report(len(now), total)
    for name, text in MADE.items():
        now[name] = _digest(text.encode())
        _bring(root, name, text.encode(), before.get(name), outcome)
    for exercise in source.exercises:
        stub = files.stub_of(exercise)
        name = exercise.answer_path.relative_to(source.root).as_posix()
        now[name] = _digest(stub.encode())
        besides |= _bring_stub(Exercise(root, exercise.module, exercise.name), stub, before, outcome)
        report(len(now), total)
    now |= besides
    for name in before.keys() - now.keys():
        _take_away(root, name, before[name], outcome)
    manifest = {"version": VERSION, "course": __version__, "files": now}
    write_atomically(root / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    (root / UNFINISHED).unlink()


def is_whole(root: Path) -> bool:
    """Everything was laid out in this folder, and no update of it was interrupted."""
    return (root / MANIFEST).is_file() and not (root / UNFINISHED).exists()


def laid_out(root: Path) -> dict[str, str]:
    """The files that were laid out in `root`, with their SHA-256; empty where nothing says so."""
    try:
        manifest = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
        return {str(name): str(digest) for name, digest in manifest["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}  # Absent or damaged: then whatever differs counts as changed, and is kept.


def version_of(root: Path) -> str:
    """The version of the course that was laid out in `root`; "" where nothing says so."""
    return _version_in(root / MANIFEST)


def is_newer(root: Path) -> bool:
    """What is in `root` is of a later version than this package."""
    latest = _latest_in(root)
    return latest is not None and latest > Version(__version__)


def is_older(root: Path) -> bool:
    """What is in `root` is of an earlier version than this package; False where nothing says so."""
    latest = _latest_in(root)
    return latest is not None and latest < Version(__version__)


def _latest_in(root: Path) -> Version | None:
    """The latest version that has files in `root`, if only those that an interrupted update has brought."""
    found = []
    for path in (root / MANIFEST, root / UNFINISHED):
        with suppress(InvalidVersion):
            found.append(Version(_version_in(path)))
    return max(found, default=None)


def _version_in(path: Path) -> str:
    """The version that the manifest, or the mark of an unfinished setup, names; "" where it doesn't."""
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["course"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _carried_files(source: Path) -> Iterator[tuple[str, Path]]:
    """Every file of PARTS, by its name in the course's folder."""
    for part in PARTS:
        path = source / part
        for found in [path] if path.is_file() else sorted(path.rglob("*")):
            name = found.relative_to(source).as_posix()
            if found.is_file() and "__pycache__" not in found.parts and not name.startswith(NOT_LAID_OUT):
                yield name, found


def _bring(root: Path, name: str, content: bytes, known: str | None, outcome: Outcome) -> None:
    """Write one file; `known` is the digest of what was laid out under this name before."""
    path = root / name
    there, new = _digest_of(path), _digest(content)
    if there == new or (there is not None and there != known and known == new):
        return  # It is there, or the learner has changed it and there is nothing newer.
    if there is not None and there != known:
        _keep(root, name, outcome)
    _write(path, content)
    outcome.written.append(name)


def _bring_stub(exercise: Exercise, stub: str, before: Mapping[str, str], outcome: Outcome) -> dict[str, str]:
    """Write a stub where nobody has begun; beside an answer only if it is newer than the one that was laid out.

    Returns the stub that was last written beside the answer, with its SHA-256; empty if there never was one.
    """
    path, new = exercise.answer_path, _digest(stub.encode())
    beside = path.with_suffix(".new.py")
    name, name_beside = (one.relative_to(exercise.root).as_posix() for one in (path, beside))
    if written.is_as_written(exercise, stub):  # Not what git has: a learner may have committed notes.
        if not path.exists() or path.read_bytes() != stub.encode():
            outcome.written.append(name)
        written.write_stub(exercise, stub)
    elif before.get(name) not in (None, new):
        if _digest_of(beside) not in (None, new, before.get(name_beside)):
            _keep(exercise.root, name_beside, outcome)
        _write(beside, stub.encode())
        outcome.stubs[name] = name_beside
        return {name_beside: new}
    return {name_beside: before[name_beside]} if name_beside in before else {}


def _take_away(root: Path, name: str, known: str, outcome: Outcome) -> None:
    """Delete what the course no longer has, unless the learner has changed it."""
    path = root / name
    if _digest_of(path) == known:
        path.unlink()
        outcome.removed.append(name)


def _keep(root: Path, name: str, outcome: Outcome) -> None:
    """Keep the learner's version of a file, and note where before it is replaced, for the call that goes on."""
    outcome.kept[name] = _copy_of(root / name).relative_to(root).as_posix()
    _mark_unfinished(root, outcome)


def _copy_of(path: Path) -> Path:
    """The learner's version of a file of the course, beside it; its name ends in a date, so that no tool reads it."""
    content = path.read_bytes()
    for earlier in path.parent.glob(f"{path.name}.*"):
        if earlier.is_file() and earlier.read_bytes() == content:
            return earlier  # Kept before an interruption.
    date = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    kept = path.with_name(f"{path.name}.{date}")
    number = 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.{date}-{number}")
    write_atomically(kept, content)
    return kept


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(".*.????????"):  # What a kill has left of an earlier try.
        if left.stem == f".{path.name}":
            left.unlink(missing_ok=True)
    write_atomically(path, content)


def _digest_of(path: Path) -> str | None:
    """The SHA-256 of a file, None where there is none."""
    try:
        return _digest(path.read_bytes())
    except FileNotFoundError:
        return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def changes(outcome: Outcome) -> Mapping[str, int]:
    """How many files were written, by the folder that they stand in."""
    counts: dict[str, int] = {}
    for name in outcome.written:
        part = name.partition("/")[0]
        counts[part] = counts.get(part, 0) + 1
    return counts
