"""`tunelings dev`: what a maintainer needs to add or change an exercise."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from tunelings.course import MODULES, Course, CourseError, Exercise, find_root, shown_path
from tunelings.desk import written
from tunelings.grading import stubs
from tunelings.grading.store import Progress

app = typer.Typer(help="Add and maintain exercises (see CONTRIBUTING.md).", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help='"1.05", "module01" or "all"', show_default=True)]


@app.command("stubs")
def write_stubs(name: Name = "all") -> None:
    """Cut the stubs out of the solutions, write them to exercises/, and STATUS.md with them.

    A file that somebody has written in is left alone; then the exit code is 1.
    """
    course = Course(find_root())
    refused = [exercise for exercise in course.select(name) if not cut_stub(exercise)]
    Progress(course).refresh()
    for exercise in refused:
        here = shown_path(exercise.answer_path)
        keep = f"tunelings reset {exercise.number} keeps it and writes the stub"
        typer.echo(f"{here} holds an answer and is left alone: {keep}.", err=True)
    if refused:
        raise typer.Exit(1)


def cut_stub(exercise: Exercise) -> bool:
    """Write the stub of an exercise; False if the file in exercises/ holds work, which is left alone."""
    try:
        stub = stubs.cut(exercise.solution_path.read_text(encoding="utf-8"))
    except stubs.StubError as error:
        raise CourseError(f"{shown_path(exercise.solution_path)}: {error}") from None
    if not written.may_be_replaced(exercise, stub):
        return False
    written.write_stub(exercise, stub)
    return True


@app.command()
def check(name: Name = "all", seeds: Annotated[int, typer.Option(help="seeds for each answer")] = 20) -> None:
    """Run everything that the project's tests hold of an exercise: the maintainer's one gate."""
    root = find_root()
    if name != "all":
        Course(root).select(name)
    only = [] if name == "all" else ["--exercise", name]
    command = [sys.executable, "-m", "pytest", str(root / "tests" / "test_exercises.py"), "-q", "--tb=short"]
    done = subprocess.run([*command, *only, "--seeds", str(seeds)], cwd=root)
    raise typer.Exit(done.returncode)


@app.command()
def mutate(name: Name = "all") -> None:
    """Make syntactic mutants of the solutions and run the checks on them; prints the score by module."""
    from tunelings.grading import mutate as mutation

    course = Course(find_root())
    listed = mutation.listed_survivors(course.root)
    totals: dict[str, list[int]] = {}
    new = 0
    for exercise in course.select(name):
        with tempfile.TemporaryDirectory() as folder:
            total, alive = mutation.survivors(exercise, Path(folder))
        known = listed.get(exercise.number, {})
        for survivor in alive:
            typer.echo(f"{exercise.number}  survives{' (listed)' if survivor in known else ''}: {survivor}")
        new += sum(survivor not in known for survivor in alive)
        score = totals.setdefault(exercise.module, [0, 0])
        score[0] += total
        score[1] += len(alive)
    for module, (total, alive) in totals.items():
        typer.echo(f"{module}: {total} mutants, {alive} survive ({alive / max(total, 1):.1%})")
    raise typer.Exit(1 if new else 0)


@app.command()
def new(
    number: Annotated[str, typer.Argument(help='such as "1.11"')],
    name: Annotated[str, typer.Argument(help='in snake case, such as "label_smoothing"')],
) -> None:
    """Scaffold an exercise: its five files and the folders of its kept answers."""
    place = re.fullmatch(r"([1-9])\.(\d\d)", number)
    if not place or f"module0{place[1]}" not in MODULES or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise CourseError(f"{number} {name}: give a number such as 1.11 and a name in snake case.")
    root = find_root()
    exercise = Exercise(root, f"module0{place[1]}", f"ex{place[2]}_{name}")
    lesson = root / "docs" / exercise.module / f"{name.replace('_', '-')}.md"
    kept = [root / "tests" / "answers" / tree / exercise.module / exercise.name for tree in ("right", "wrong")]
    files = {
        exercise.solution_path: _SOLUTION,
        exercise.check_path: _CHECK,
        exercise.card_path: _CARD,
        lesson: _LESSON,
    }
    taken = [path for path in files if path.exists()]
    if taken:
        raise CourseError(f"{shown_path(taken[0])} exists already; nothing was written.")
    values = {
        "number": number,
        "name": name,
        "title": name.replace("_", " ").capitalize(),
        "lesson": lesson.stem,
    }
    for path, template in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(template.format_map(values), encoding="utf-8")
        typer.echo(f"wrote {shown_path(path)}")
    for folder in kept:
        folder.mkdir(parents=True, exist_ok=True)
        typer.echo(f"made {shown_path(folder)}/")
    write_stubs(number)
    typer.echo(f"Next: fill them in, then tunelings dev stubs {number} and tunelings dev check {number}.")


_SOLUTION = '''"""{number} · {title}: one line that says what for."""

from torch import Tensor


def {name}(x: Tensor) -> Tensor:
    """What it returns; shapes, dtypes, errors, and the source of the method."""
    # BEGIN SOLUTION: what to do, in one line.
    return 2 * x
    # END SOLUTION
'''

_CHECK = '''"""{number}: what the answer must do."""

from tunelings import expect
from tunelings.inputs import randn


def test_each_number_is_doubled(answer):
    x = randn(3, 7)
    expect.close(answer.{name}(x), x + x, what="{name}(x)")
'''

_CARD = """title = "{title}"
lesson = "{lesson}"
minutes = 10
difficulty = 2
learnt = "What the learner knows now, in one sentence."
hints = [
    "Where to look.",
    "Which step is the one that matters.",
    "Nearly the code.",
]

[[mistakes]]
id = "not-doubled"
says = "the input is returned as it came."
forms = [[{{ old = "2 * x", new = "x" }}]]
"""

_LESSON = """# {title}

The idea in plain words, and one picture.
"""
