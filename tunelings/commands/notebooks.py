"""`tunelings dev notebooks`: a notebook for each hands-on, made from its stub, that opens in Colab.

It fetches the course where there is none, holds the stub in a cell that writes the answer's file, runs the checks as in
a terminal, and ends with the full run, which wants a GPU or minutes. Nothing of it is written by hand.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tunelings import repository
from tunelings.course import MODULES, Course, Exercise
from tunelings.grading import stubs
from tunelings.writing import write_if_changed

if TYPE_CHECKING:
    from nbformat import NotebookNode

FULL_RUN = "full-run"  # the tag of the cell that takes minutes, a GPU or a download
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
PYTHON = '!"{sys.executable}" -m'
SETUP = """# Finds the course here or above, or fetches it (minutes, in Colab). An answer that's there is kept, dated.
import os
import subprocess
import sys
from pathlib import Path

folders = [Path.cwd(), *Path.cwd().parents, Path("tunelings").resolve()]
course = next((folder for folder in folders if (folder / "checks" / "module01").is_dir()), None)
if course is None:
    !git clone --quiet --depth 1 {address} tunelings
    course = Path("tunelings").resolve()
os.chdir(course)
os.environ["TERM"] = "dumb"  # A notebook can't show a terminal's links.
look = "import sys; from tunelings.grading import environment; sys.exit(environment.problem() is not None)"
if (course / "tunelings").is_dir() and subprocess.run([sys.executable, "-c", look], capture_output=True).returncode:
    %pip install --quiet -e ".[course]"  # Also where an earlier install was interrupted.
{python} tunelings reset {number}"""


def path_of(exercise: Exercise) -> Path:
    return exercise.root / "notebooks" / f"{exercise.module}_{exercise.name[5:]}.ipynb"


def write(course: Course) -> list[Path]:
    """Write every notebook, and return the paths; one that has not changed stays as it is."""
    import nbformat

    paths = []
    for exercise in course.hands_on():
        path = path_of(exercise)
        path.parent.mkdir(exist_ok=True)
        write_if_changed(path, nbformat.writes(make(exercise)) + "\n")
        paths.append(path)
    return paths


def make(exercise: Exercise) -> NotebookNode:
    """The notebook of one exercise; the same stub and checks make the same notebook."""
    from nbformat import v4

    stub = stubs.cut(exercise.solution_path.read_text(encoding="utf-8"))
    answer = Path("exercises", exercise.relative_path).as_posix()
    setup = SETUP.format(address=repository.address(), python=PYTHON, number=exercise.number)
    cells = [
        v4.new_markdown_cell(_introduction(exercise)),
        v4.new_code_cell(setup),
        v4.new_markdown_cell(f"Fill in each `TODO`, then run this cell: it writes `{answer}`."),
        v4.new_code_cell(f"%%writefile {answer}\n{stub.rstrip()}"),
        v4.new_markdown_cell("The verdict, as `tunelings` shows it in a terminal:"),
        v4.new_code_cell(f"{PYTHON} tunelings run {exercise.number}"),
        v4.new_markdown_cell(
            f"Stuck? The lesson is `{_lesson(exercise)}`. For a hint, remove the `#` and run the cell. Each run gives "
            "the next one."
        ),
        v4.new_code_cell(f"# {PYTHON} tunelings hint {exercise.number}"),
        v4.new_markdown_cell(_about_full_run(exercise)),
        v4.new_code_cell(_full_run(exercise), metadata={"tags": [FULL_RUN]}),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return v4.new_notebook(
        cells=cells,
        metadata={
            "accelerator": "GPU",
            "colab": {"provenance": []},
            "kernelspec": kernel,
            "language_info": {"name": "python"},
        },
    )


def _introduction(exercise: Exercise) -> str:
    minutes = exercise.card.minutes
    here = repository.in_colab(path_of(exercise).relative_to(exercise.root).as_posix())
    return (
        f"# {exercise.number} · {exercise.title}\n\n"
        f"[![Open in Colab]({BADGE})]({here})\n\n"
        f"The hands-on exercise of module {exercise.number[0]}, {MODULES[exercise.module]}: about {minutes} minutes. "
        "Run the cells from top to bottom; the first one fetches the course if it isn't there. "
        "This project has run its notebooks in Jupyter, and has not tried Colab."
    )


def _lesson(exercise: Exercise) -> str:
    return exercise.lesson_path.relative_to(exercise.root).as_posix()


def _mark(exercise: Exercise) -> str:
    """`gpu`, or `real` where the full run needs no GPU."""
    return "gpu" if "@pytest.mark.gpu" in exercise.check_path.read_text(encoding="utf-8") else "real"


def _about_full_run(exercise: Exercise) -> str:
    if _mark(exercise) == "real":
        return "The full run, on real data. It takes some minutes."
    return "The full run, on a GPU (in Colab: Runtime, Change runtime type). Without a GPU it's skipped, and says so."


def _models(text: str, mark: str) -> list[str]:
    """The models that the checks with a mark look for among the course's own."""
    marked = [
        ast.unparse(node)
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and f"pytest.mark.{mark}" in map(ast.unparse, node.decorator_list)
    ]
    return list(dict.fromkeys(re.findall(r"models\.find\('(\w+)'\)", "\n".join(marked))))


def _full_run(exercise: Exercise) -> str:
    check = exercise.check_path.relative_to(exercise.root).as_posix()
    text = exercise.check_path.read_text(encoding="utf-8")
    lines = [f"{PYTHON} tunelings models get {name}" for name in _models(text, _mark(exercise))]
    return "\n".join([*lines, f"{PYTHON} pytest {check} -m {_mark(exercise)} -q -rs"])
