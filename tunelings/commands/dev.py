"""`tunelings dev`: what a maintainer needs to add or change an exercise."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tunelings.course import Course, CourseError, Exercise, find_root, shown_path

app = typer.Typer(help="Add and maintain exercises (see CONTRIBUTING.md).", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help='"1.05", "module01" or "all"', show_default=True)]


@app.command("stubs")
def write_stubs(name: Name = "all") -> None:
    """Cut the stubs out of the solutions and write them to exercises/.

    A file that somebody has written in is left alone; then the exit code is 1.
    """
    from tunelings.grading.store import Progress

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
    from tunelings.desk import written
    from tunelings.grading import stubs

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
    """Run every test of an exercise and of its lesson's measured numbers: the maintainer's one gate."""
    from tunelings.commands import scaffold

    root = find_root()
    chosen = Course(root).select(name)
    only = ["tests/test_lessons.py"] if name == "all" else ["--exercise", name, *lesson_tests(chosen)]
    command = [sys.executable, "-m", "pytest", "tests/test_exercises.py", *only, "-q", "--tb=short"]
    import subprocess

    done = subprocess.run([*command, "--seeds", str(seeds)], cwd=root)
    for place in (place for exercise in chosen for place in scaffold.places_left(exercise)):
        typer.echo(f"{place} says {scaffold.LEFT}")
    raise typer.Exit(done.returncode)


def lesson_tests(exercises: list[Exercise]) -> list[str]:
    """The pytest node ids that look for typed numbers in the exercises' lessons, as far as those exist."""
    paths = dict.fromkeys(exercise.lesson_path for exercise in exercises)
    pages = [path.relative_to(path.parents[1]).as_posix() for path in paths if path.is_file()]
    return [f"tests/test_lessons.py::test_no_measured_number_is_typed[{page}]" for page in pages]


@app.command("branch")
def make_branch(
    name: Annotated[str, typer.Option(help="what the branch is called")] = "solutions",
) -> None:
    """Make the branch `solutions`: the course with every exercise solved and every box ticked.

    It is made of the commit that is checked out, in a worktree of its own, after every check has passed on the
    references there. What is not committed is refused.
    """
    from tunelings.commands import branch

    commit = branch.build(find_root(), name)
    typer.echo(f"{name} is {commit[:12]}: every exercise solved, every box ticked (git switch {name}).")


@app.command("notebooks")
def write_notebooks() -> None:
    """Regenerate the notebooks of the hands-on exercises from their stubs."""
    from tunelings.commands import notebooks

    for path in notebooks.write(Course(find_root())):
        typer.echo(shown_path(path))


@app.command("promises")
def list_promises(name: Name = "all") -> None:
    """List the sentences of a contract: which are broken by a kept wrong answer, and which by none yet."""
    from tunelings.grading import promises

    open_ones = 0
    for exercise in Course(find_root()).select(name):
        found = promises.contract(exercise)
        held = sum(bool(promise.broken_by) for promise in found.promises)
        typer.echo(f"{exercise.number} {exercise.title}: {held} of {len(found.counted)} promises are held")
        for promise in found.promises:
            holder = promise.reason or ", ".join(promise.broken_by)
            typer.echo(f"  {'✗' if promise.is_open else '·' if promise.reason else '✓'} {promise}")
            typer.echo(f"      {holder or 'open: no kept wrong answer breaks it'}")
        for problem in found.problems:
            typer.echo(f"  ✗ {problem}")
        open_ones += sum(promise.is_open for promise in found.promises) + len(found.problems)
    raise typer.Exit(1 if open_ones else 0)


@app.command()
def mutate(name: Name = "all") -> None:
    """Make syntactic mutants of the solutions and run the checks on them; prints the score by module."""
    import tempfile

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
            listing = " (listed)" if survivor.name in known else ""
            typer.echo(f"{exercise.number}  line {survivor.line}  survives{listing}: {survivor.name}")
        new += sum(survivor.name not in known for survivor in alive)
        score = totals.setdefault(exercise.module, [0, 0])
        score[0] += total
        score[1] += len(alive)
    for module, (total, survive) in totals.items():
        typer.echo(f"{module}: {total} mutants, {survive} survive ({survive / max(total, 1):.1%})")
    raise typer.Exit(1 if new else 0)


@app.command()
def new(
    number: Annotated[str, typer.Argument(help='such as "1.11"')],
    name: Annotated[str, typer.Argument(help='in snake case, such as "label_smoothing"')],
    title: Annotated[str | None, typer.Option(help='such as "LoRA budget"; made of the name if left out')] = None,
) -> None:
    """Scaffold an exercise that passes its gates; TODO(new) marks what you have to replace."""
    from tunelings.commands import scaffold

    exercise = scaffold.new_exercise(Course(find_root()), number, name)
    for path in scaffold.write(exercise, scaffold.title_of(name, title)):
        typer.echo(f"wrote {shown_path(path)}")
    write_stubs(number)
    typer.echo(f"wrote {shown_path(exercise.answer_path)}")
    typer.echo(f"Next: replace what says {scaffold.LEFT}, then tunelings dev stubs {number} and dev check {number}.")


@app.command("mistake")
def draft_mistake(
    results: Annotated[Path, typer.Argument(metavar="OUT", help="the folder that `tunelings grade` wrote")],
    cluster: Annotated[str, typer.Argument(metavar="CLUSTER", help='a name in its report, such as "1.05-3f9c21"')],
    to: Annotated[Path | None, typer.Option(help="a folder for the draft, instead of the course")] = None,
) -> None:
    """Draft a mistake for the card, and a kept wrong answer, from a failure that a class makes and no card knows.

    Comments of the answer are left out. TODO(new) marks what is yours to say.
    """
    from tunelings.classroom import draft

    made = draft.draft(Course(find_root()), results, cluster)
    for path in draft.write(made, to):
        typer.echo(f"wrote {shown_path(path)}")
    typer.echo(
        f"Next: say what goes wrong where it says {draft.LEFT}, then tunelings dev check {made.exercise.number}."
    )


@app.command("class")
def make_class(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="a new folder")],
    students: Annotated[int, typer.Option(min=1, help="how many students")] = 300,
    seed: Annotated[int, typer.Option(help="another seed makes another class")] = 0,
    only: Annotated[str, typer.Option(metavar="WHAT,…", help='such as "1.05,module02"')] = "all",
) -> None:
    """Make up a class to try `tunelings grade` on: a folder for each student, and truth.json, which says who did what.

    The answers are the kept right and wrong ones of tests/answers, so this needs a clone of the repository.
    """
    from tunelings.classroom import synthetic
    from tunelings.commands.classroom import chosen

    course = Course(find_root())
    synthetic.write(synthetic.make(chosen(course, only), students=students, seed=seed), course, folder)
    submissions = shown_path(folder / "submissions")
    typer.echo(f"wrote {submissions}. Next: tunelings grade {submissions} -o {shown_path(folder / 'graded')}")
