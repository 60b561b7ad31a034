"""Everything that is written from the records of a class. Each file is replaced whole, or stays as it was.

manifest.json comes last and lists every file with its hash: the next run takes away what it doesn't write again, such
as the feedback of a student who has left, unless somebody has changed it since. No other file is ever touched.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from tunelings.classroom import classroom50, csvfiles, feedback, gradescope, junit, report
from tunelings.classroom import roster as rosters
from tunelings.classroom.figures import figures
from tunelings.classroom.records import Class, Graded, Outcome
from tunelings.classroom.sharing import shared
from tunelings.classroom.table import Table
from tunelings.course import Course, CourseError, shown_path
from tunelings.writing import write_atomically

MANIFEST = "manifest.json"
IGNORED = "# Marks, names and answers of students: none of it belongs in a repository.\n*\n"
OPEN, PRIVATE = 0o644, 0o600
SHOWN = 5  # of the students without a grade in the roster


def write_all(
    klass: Class,
    out: Path,
    *,
    names: Mapping[str, str],
    points: str = "all",
    roster: Path | None = None,
    course: Course | None = None,
    answers: Mapping[str, str] | None = None,
    for_gradescope: bool = False,
) -> list[str]:
    """Write all results of a class into the folder `out`, and return what a person has to look at, a line each.

    names: the student's name by pseudonym; it goes into key.csv and the roster, and nowhere else.
    points: how points were given, "all" or "checks"; it stands in the manifest.
    roster: the CSV that the LMS has exported.
    course: where the titles of exercises that nobody has begun come from.
    answers: the texts of answers by `answer_hash`; the report shows one of each cluster.
    for_gradescope: write each student's results.json too.

    Raises:
        CourseError: `out` can't be written to, or the roster can't be read.
    """
    table = Table(klass)
    titles = {exercise.number: exercise.title for exercise in course.exercises} if course else {}
    make_folder(out)
    before = listed(out)
    put(out / ".gitignore", IGNORED)
    files = Files(out)
    files.put("key.csv", csvfiles.key(klass.students, names), PRIVATE)
    files.put("results.csv", csvfiles.results(table))
    files.put("grades.csv", csvfiles.grades(table))
    files.put("junit.xml", junit.junit(table, titles))
    for student in klass.students:
        files.put(f"feedback/{student}.md", feedback.feedback(table, student, titles))
        if for_gradescope:
            files.put(f"gradescope/{student}.json", as_json(gradescope.results(table, student, titles)))
    write_report(table, files, titles, answers or {})
    write_classroom50(table, files)
    problems = write_roster(table, files, names, roster) if roster else []
    remove(out, {name: digest for name, digest in before.items() if name not in files.hashes})
    put(out / MANIFEST, as_json({**klass.manifest, "points": points, "files": files.hashes}, sort_keys=True))
    return problems


class Files:
    """The files that one run writes into a folder; `hashes`: SHA-256 of each by its path in it, with slashes."""

    def __init__(self, out: Path):
        self.out = out
        self.hashes: dict[str, str] = {}

    def put(self, name: str, content: str | bytes, mode: int = OPEN) -> None:
        put(self.out / name, content, mode)
        self.hashes[name] = _hash(content.encode() if isinstance(content, str) else content)


def listed(out: Path) -> dict[str, str]:
    """What the manifest of an earlier run says that it has written; nothing where there is none, or it's damaged."""
    try:
        found = json.loads((out / MANIFEST).read_text(encoding="utf-8"))["files"]
        return {str(name): str(digest) for name, digest in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def remove(out: Path, files: Mapping[str, str]) -> None:
    """Remove files of an earlier run that nobody has changed since, and the folders that are empty then."""
    for name, digest in files.items():
        parts = PurePosixPath(name).parts
        folders = [out.joinpath(*parts[:n]) for n in range(1, len(parts))]
        if ".." in parts or PurePosixPath(name).is_absolute() or any(folder.is_symlink() for folder in folders):
            continue
        path = out.joinpath(*parts)
        if path.is_file() and not path.is_symlink() and _hash(path.read_bytes()) == digest:
            path.unlink()
            with contextlib.suppress(OSError):  # Something else is in it.
                path.parent.rmdir()


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_roster(table: Table, files: Files, names: Mapping[str, str], roster: Path) -> list[str]:
    """The LMS's own CSV with one column filled, as private as the key.

    Who got no grade stands beside it, a line each; the first few of these lines are returned.
    """
    rows = {names.get(student, student): table.of_student(student) for student in table.klass.students}
    graded = {name for name, own in rows.items() if _is_graded(own)}
    points = {name: csvfiles.total(own) for name, own in rows.items()}
    filled = rosters.fill(roster, points, left_out=rows.keys() - graded)
    files.put(f"roster/{roster.name}", filled.content, PRIVATE)
    said = graded | filled.problems.keys()
    left_out = [f"{name}: not graded, so the roster keeps what it has" for name in rows if name not in said]
    problems = [*left_out, *filled.problems.values()]
    if problems:
        files.put(f"roster/{roster.stem}-no-grade.txt", "".join(f"{line}\n" for line in problems), PRIVATE)
    more = len(problems) - SHOWN
    if more <= 1:
        return problems
    return [*problems[:SHOWN], f"{more} more have no grade in the roster: see roster/{roster.stem}-no-grade.txt"]


def _is_graded(rows: Sequence[Graded]) -> bool:
    """Whether points are a mark: everything has a verdict, and something could be taken of what was handed in."""
    outcomes = {row.outcome for row in rows}
    is_refused = Outcome.REFUSED in outcomes and outcomes <= {Outcome.REFUSED, Outcome.MISSING}
    return Outcome.NO_VERDICT not in outcomes and not is_refused


def write_classroom50(table: Table, files: Files) -> None:
    """Classroom 50's result.json, where its runner has started this for one student.

    Where something has no verdict there is no file, which the runner reports as an error and not as a mark.
    """
    rows = list(table)
    if len(table.klass.students) != 1 or any(row.outcome == Outcome.NO_VERDICT for row in rows):
        return
    if classroom50.is_there(os.environ):
        made = classroom50.result(table, rows[0].student, os.environ, datetime.now(UTC))
        files.put("classroom50/result.json", as_json(made))


def write_autograder(course: Course, out: Path, options: Sequence[str]) -> Path:
    """autograder.zip for Gradescope, whose `tunelings grade --single` gets these options; returns its path."""
    make_folder(out)
    put(out / ".gitignore", IGNORED)
    put(out / "autograder.zip", gradescope.autograder(course, options))
    return out / "autograder.zip"


def write_report(table: Table, files: Files, titles: Mapping[str, str], answers: Mapping[str, str]) -> None:
    """The report for the instructor, the one to share, the same as data, and an answer of each cluster."""
    found = figures(table, titles, answers)
    out = shown_path(files.out)
    files.put("report.json", as_json(found))
    files.put("report.html", report.page(found, answers, out))
    files.put("report-to-share.html", report.page(shared(found), {}, out))
    for cluster in (cluster for item in found["items"] for cluster in item["clusters"]):
        if cluster["answer_hash"]:
            files.put(f"clusters/{cluster['id']}.py", answers[cluster["answer_hash"]])


def as_json(value: Any, *, sort_keys: bool = False) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=sort_keys) + "\n"


def make_folder(out: Path) -> None:
    """Make the folder of the results, for its owner alone; one that is there stays as it is."""
    if out.exists() and not out.is_dir():
        raise CourseError(f"{out} is a file: give the results a folder (-o).")
    out.mkdir(parents=True, exist_ok=True, mode=0o700)


def put(path: Path, content: str | bytes, mode: int = OPEN) -> None:
    """Write one file whole; a private one is never readable by others, not even while it is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if mode != OPEN:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0), mode))
        path.chmod(mode)
    write_atomically(path, content)
