"""Projects on a model of random weights, whose steps run in the test's own process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import COURSE, ROOT
from tests.support.systems import link_or_copy
from tunelings.course import Course
from tunelings.grading.states import CheckState
from tunelings.grading.store import Progress, content_hash
from tunelings.project import child
from tunelings.project import folder as files
from tunelings.project.folder import Folder
from tunelings.project.parts import Parts
from tunelings.project.say import Say

COLORS = ("red", "green", "blue")


class Heard(Say):
    """Keeps the lines that a step says."""

    def __init__(self):
        super().__init__()
        self.lines: list[str] = []

    def line(self, text: str) -> None:
        self.lines.append(text)


def rows(count: int = 120) -> list[dict]:
    """Short questions with one of three answers; the question holds it, so that bytes can learn it."""
    nouns = ["hat", "cup", "car", "pen", "box", "bag", "map", "key"]
    return [
        {"prompt": f"{i:03} {COLORS[i % 3]} {nouns[i % 8]}", "completion": COLORS[i % 3].upper()} for i in range(count)
    ]


def project(folder: Path, data: list[dict] | str, **options) -> Folder:
    """A project in `folder` with its look taken; tests then change project.toml."""
    path = folder / "data.jsonl"
    if isinstance(data, str):
        path.write_text(data, encoding="utf-8")
    else:
        files.write_lines(path, data)
    new = Folder(folder)
    asked = {"model": "tiny", "data": str(path), "steps": 12, **options}
    files.write(folder / "new.json", json.dumps(asked))
    child.run(new, "new", parts(), heard := Heard())
    (folder / "look.txt").write_text("\n".join(heard.lines), encoding="utf-8")
    return new


def parts(**options) -> Parts:
    return Parts(COURSE, **options)


def run(folder: Folder, *names: str, **options) -> None:
    for name in names:
        child.run(folder, name, parts(**options), Say())


def change(folder: Folder, old: str, new: str) -> None:
    text = folder.settings.read_text(encoding="utf-8")
    assert old in text
    folder.settings.write_text(text.replace(old, new), encoding="utf-8")


def copy_of(folder: Folder, place: Path) -> Folder:
    shutil.copytree(folder.path, place / folder.name)
    return Folder(place / folder.name)


def course_with(place: Path, mine: dict[str, str]) -> Course:
    """A course in which some exercises are done: by number, the text of the learner's file."""
    place.mkdir(parents=True, exist_ok=True)
    for tree in ("solutions", "checks", "docs"):
        link_or_copy(place / tree, COURSE.root / tree)
    shutil.copytree(COURSE.root / "exercises", place / "exercises", ignore=shutil.ignore_patterns("__pycache__"))
    course = Course(place)
    for number, text in mine.items():
        exercise = course.find(number)
        exercise.answer_path.write_text(text, encoding="utf-8")
        passed = {name: CheckState.PASSED for name in exercise.check_names()}
        Progress(course).record(exercise, content_hash(exercise), passed)
    return course


def reference(number: str) -> str:
    return COURSE.find(number).solution_path.read_text(encoding="utf-8")


def tunelings(
    *words: str, at: Path = ROOT, inside: tuple[str, ...] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    """`tunelings …` as typed in a folder; `inside` is a command that runs it."""
    command = [*inside, sys.executable, "-c", "from tunelings.commands.cli import main; main()", *words]
    paths = os.pathsep.join([environment.pop("before", ""), str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1", "PYTHONPATH": paths, **environment}
    return subprocess.run(command, cwd=at, env=environment, capture_output=True, text=True)
