"""Gradescope: results.json for one student, and the zip that an instructor uploads as the autograder.

Formats: https://github.com/gradescope/autograder_samples/blob/master/docs/specs.md
"""

from __future__ import annotations

import io
import shlex
import stat
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tunelings.classroom.csvfiles import total
from tunelings.classroom.feedback import SAYS, seen, title
from tunelings.classroom.records import Graded, Outcome
from tunelings.classroom.table import Table, is_pass, number
from tunelings.course import Course, CourseError
from tunelings.grading import stubs
from tunelings.grading.text import visible

HERE = Path(__file__).parent / "gradescope_files"
EXECUTABLE = frozenset({"setup.sh", "run_autograder"})
COURSE = ("tunelings", "checks", "solutions", "data")  # what grading reads, besides the stubs of exercises/
FILES = ("pyproject.toml", "constraints.txt", "README.md", "LICENSE", "CONTRIBUTING.md", "mkdocs.yml")  # to install it
LEFT_OUT = ("__pycache__", ".pyc", "data/full/", "data/fetched/")
EPOCH = (1980, 1, 1, 0, 0, 0)  # The same course makes the same zip.


def results(table: Table, student: str, titles: Mapping[str, str]) -> dict[str, Any]:
    """results.json; without a verdict for everything it says so first, and what has none has no points."""
    rows = table.of_student(student)
    open_ones = [row.exercise for row in rows if row.outcome == Outcome.NO_VERDICT]
    points, out_of = total(rows)
    said = f"{table.passes[student]} of {len(rows)} exercises pass: {number(points)} of {number(out_of)} points."
    if open_ones:
        said = f"The grader has no result for {', '.join(open_ones)}: please rerun the autograder. {said}"
    return {
        "score": round(points, 4),
        "execution_time": round(sum(row.seconds or 0 for row in rows), 2),
        "output": said,
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {name: table.klass.manifest.get(name) for name in ("seed", "isolation")},
        "tests": [_test(row, titles) for row in rows],
    }


def _test(row: Graded, titles: Mapping[str, str]) -> dict[str, Any]:
    said = [SAYS.get(row.outcome, ""), f"Reason: {visible(row.reason)}" if row.reason else ""]
    return {
        "name": title(row, titles),
        "number": row.exercise,
        "score": round(row.points, 4),
        "max_score": row.out_of,
        "status": "passed" if is_pass(row) else "failed",
        "output": seen(row) or " ".join(filter(None, said)) or "A check fails.",
        "visibility": "visible",
    }


def autograder(course: Course, options: Sequence[str]) -> bytes:
    """autograder.zip: setup.sh, run_autograder, and the course that grades, in the folder `course`.

    options: what `tunelings grade --single` gets, such as ["--only", "module01", "--points", "checks"].

    Raises:
        CourseError: the course is no clone of the repository, so it can't be installed elsewhere.
    """
    if not (course.root / "pyproject.toml").is_file():
        raise CourseError("The autograder is made in a clone of the course's repository, which it carries along.")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(HERE.iterdir()):
            text = path.read_text(encoding="utf-8").replace("OPTIONS", shlex.join(options))
            _add(archive, path.name, text.encode("utf-8"))
        for name, path in _course(course):
            _add(archive, f"course/{name}", path.read_bytes())
        for exercise in course.exercises:  # The stubs anew: in exercises/ may stand the instructor's own answers.
            stub = stubs.cut(exercise.solution_path.read_text(encoding="utf-8"))
            _add(archive, f"course/exercises/{exercise.relative_path.as_posix()}", stub.encode("utf-8"))
    return content.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = (stat.S_IFREG | (0o755 if name in EXECUTABLE else 0o644)) << 16
    archive.writestr(info, content)


def _course(course: Course) -> Iterable[tuple[str, Path]]:
    trees = [path for tree in COURSE for path in sorted((course.root / tree).rglob("*"))]
    for path in [*trees, *(course.root / name for name in FILES)]:
        name = path.relative_to(course.root).as_posix()
        if path.is_file() and not any(part in name for part in LEFT_OUT):
            yield name, path
