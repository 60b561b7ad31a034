"""The notebooks of the hands-on exercises: made from their stubs, as committed, and run from top to bottom."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import COURSE, ROOT
from tunelings import lessons, repository
from tunelings.commands import notebooks
from tunelings.course import MODULES, Course
from tunelings.grading import stubs

HANDS_ON = {exercise.number: exercise for exercise in COURSE.hands_on()}
each_hands_on = pytest.mark.parametrize("number", HANDS_ON)


def test_each_module_has_one():
    assert [exercise.module for exercise in HANDS_ON.values()] == list(MODULES)
    assert sorted((ROOT / "notebooks").iterdir()) == [notebooks.path_of(exercise) for exercise in HANDS_ON.values()]


@each_hands_on
def test_a_notebook_is_what_the_command_makes(number: str):
    exercise = HANDS_ON[number]
    made = nbformat.writes(notebooks.make(exercise)) + "\n"
    assert notebooks.path_of(exercise).read_text(encoding="utf-8") == made, "run tunelings dev notebooks"
    nbformat.validate(notebooks.make(exercise))


def test_the_full_run_fetches_the_models_that_its_checks_look_for():
    fetched = {
        number: re.findall(r"models get (\w+)", notebooks.make(exercise).cells[-1].source)
        for number, exercise in HANDS_ON.items()
    }
    assert fetched == {"1.10": [], "2.08": [], "3.12": [], "4.10": ["smollm2"], "5.09": ["minilm"]}


@each_hands_on
def test_the_lesson_opens_it_in_colab(number: str):
    exercise = HANDS_ON[number]
    page = exercise.lesson_path.relative_to(ROOT / "docs").as_posix()
    name = repository.address().removeprefix("https://github.com/")
    path = notebooks.path_of(exercise).relative_to(ROOT).as_posix()
    address = f"https://colab.research.google.com/github/{name}/blob/main/{path}"
    text = lessons.render(exercise.lesson_path.read_text(encoding="utf-8"), page, ROOT / "figures" / "results")
    assert re.findall(r"\[Open in Colab\]\((\S+)\)\{", text) == [address]
    (badge,) = re.findall(r"\]\(([^)]+)\)$", notebooks.make(exercise).cells[0].source, flags=re.MULTILINE)
    assert badge == address


def test_the_address_is_that_of_what_is_installed_where_there_is_no_clone(monkeypatch, tmp_path):
    monkeypatch.setattr(repository, "PYPROJECT", tmp_path / "pyproject.toml")
    monkeypatch.setattr(repository.metadata, "metadata", lambda name: FakeMetadata())
    repository.address.cache_clear()
    try:
        assert repository.address() == "https://github.com/somebody/fork"
    finally:
        repository.address.cache_clear()


class FakeMetadata:
    def get_all(self, name: str) -> list[str]:
        return ["Changelog, https://example.org/", "Repository, https://github.com/somebody/fork"]


def execute(notebook: nbformat.NotebookNode, folder: Path, monkeypatch, tmp_path: Path) -> None:
    for variable in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()


def printed(notebook: nbformat.NotebookNode) -> list[str]:
    """The text that each cell of code prints."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in code]


def run(course: Course, number: str, monkeypatch, tmp_path: Path, answer: str | None = None) -> list[str]:
    """Run a notebook in a copy of the course, without its full run; the text that each cell of code prints."""
    exercise = course.find(number)
    folder = course.root / "notebooks"
    folder.mkdir()
    shutil.copy(notebooks.path_of(HANDS_ON[number]), folder)
    made = nbformat.read(notebooks.path_of(exercise), as_version=4)
    made.cells = [cell for cell in made.cells if notebooks.FULL_RUN not in cell.metadata.get("tags", [])]
    if answer is not None:
        (cell,) = [cell for cell in made.cells if cell.source.startswith("%%writefile")]
        cell.source = f"{cell.source.partition(chr(10))[0]}\n{answer}"
    execute(made, folder, monkeypatch, tmp_path)
    return printed(made)


def test_a_notebook_runs_and_keeps_an_answer_that_is_there(course_copy: Course, monkeypatch, tmp_path):
    exercise = course_copy.find("5.09")
    exercise.answer_path.write_text("mine = 1\n", encoding="utf-8")
    setup, written, verdict, _ = run(course_copy, "5.09", monkeypatch, tmp_path)
    kept = list(exercise.answer_path.parent.glob("ex09_compare_approaches.2*.py"))
    assert [path.read_text(encoding="utf-8") for path in kept] == ["mine = 1\n"] and kept[0].name in setup
    assert "Cloning" not in setup and "Overwriting exercises/module05/ex09_compare_approaches.py" in written
    assert verdict.startswith("○ 5.09 Compare approaches · not started") and "\x1b" not in setup + verdict
    assert exercise.answer_path.read_text(encoding="utf-8") == stubs.cut(exercise.solution_path.read_text("utf-8"))


# Stands in for pip, and for what it installs: a package of the course is missing until it has run a second time.
PIP = """
import shutil, sys
from pathlib import Path

here = Path(__file__).parent
with open(here / "asked", "a") as asked:
    print(*sys.argv[1:], "in", Path.cwd().name, file=asked)
if (here / "asked").read_text().count("\\n") == 1:
    sys.exit("interrupted")
shutil.rmtree(here / "tunelings-0.1.dist-info")
"""


def test_the_course_is_fetched_and_an_interrupted_install_goes_on(course_copy: Course, monkeypatch, tmp_path: Path):
    shutil.copytree(ROOT / "tunelings", course_copy.root / "tunelings", ignore=shutil.ignore_patterns("__pycache__"))
    git = ["git", "-C", str(course_copy.root), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "The course"]):
        subprocess.run([*git, *words], check=True)
    fake, empty = tmp_path / "fake", tmp_path / "empty"
    (fake / "tunelings-0.1.dist-info").mkdir(parents=True)
    metadata = "Metadata-Version: 2.4\nName: tunelings\nVersion: 0.1\nRequires-Dist: no-such-package\n"
    (fake / "tunelings-0.1.dist-info" / "METADATA").write_text(metadata, encoding="utf-8")
    (fake / "pip.py").write_text(PIP, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(fake), str(ROOT)]))
    monkeypatch.setattr(repository, "address", lambda: course_copy.root.as_uri())
    made = notebooks.make(HANDS_ON["1.10"])
    made.cells = [cell for cell in made.cells if "git clone" in cell.source]
    made.cells += [nbformat.from_dict({**made.cells[0], "id": name}) for name in ("second", "third")]
    empty.mkdir()
    execute(made, empty, monkeypatch, tmp_path)
    assert (fake / "asked").read_text().splitlines() == ["install --quiet -e .[course] in tunelings"] * 2
    assert (empty / "tunelings" / "exercises" / "module01").is_dir()
    assert "interrupted" in printed(made)[0] and "interrupted" not in printed(made)[1]


@pytest.mark.sweep
@each_hands_on
def test_a_notebook_with_the_reference_says_that_all_checks_pass(course_copy, monkeypatch, tmp_path, number: str):
    answer = stubs.uncut(HANDS_ON[number].solution_path.read_text(encoding="utf-8"))
    _, _, verdict, _ = run(course_copy, number, monkeypatch, tmp_path, answer)
    assert verdict.startswith(f"✓ {number} ") and "checks pass" in verdict.splitlines()[0]
