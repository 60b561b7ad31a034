"""The files that a newcomer meets first agree with the course as it is."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.conftest import COURSE, ROOT
from tunelings.course import MODULES, Course
from tunelings.progress import Progress


def test_the_checklist_that_ships_is_the_empty_one(tmp_path: Path):
    for tree in ("solutions", "checks"):
        shutil.copytree(ROOT / tree, tmp_path / tree)
    for exercise in Course(tmp_path).exercises:
        exercise.answer_path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "exercises" / exercise.relative_path, exercise.answer_path)
    shipped = (ROOT / "STATUS.md").read_text(encoding="utf-8")
    assert shipped == Progress(Course(tmp_path)).checklist(), "run: tunelings list"


def test_every_exercise_has_its_five_files():
    for exercise in COURSE.exercises:
        for path in (exercise.answer_path, exercise.check_path, exercise.card_path, exercise.lesson_path):
            assert path.is_file(), path


def test_no_file_is_left_without_an_exercise():
    names = {(exercise.module, exercise.name) for exercise in COURSE.exercises}
    for tree in ("exercises", "checks", "tests/variants", "tests/wrong"):
        for path in (ROOT / tree).glob("module*/*ex[0-9][0-9]_*"):
            stem = re.sub(r"\.\d{4}-\d{2}-\d{2}-\d{6}(-\d+)?$", "", path.stem)  # a file that reset has kept
            assert (path.parent.name, stem.removeprefix("test_")) in names, path


def test_the_readme_names_the_modules_and_the_commands_that_ci_runs():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for number, title in enumerate(MODULES.values(), start=1):
        assert f"| {number} · {title} |" in readme
    for mark in ("start", "test"):
        command = re.search(rf"<!-- the {mark} command -->\n```\n(.+)\n```", readme)
        assert command, f"no {mark} command"
