"""`hint`, `reset`, `solution` and `open`: what one can do with an answer."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tunelings.commands.arguments import One, course
from tunelings.course import CourseError, shown_path

Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]


def hint(
    exercise: One,
    level: Annotated[int | None, typer.Option(help="this hint (1 is the mildest), not the next one")] = None,
) -> None:
    """Show the next hint of an exercise; each says more than the one before."""
    from tunelings.desk import hints, screen

    found = course().find(exercise)
    number, text = hints.next_hint(found, level)
    screen.show(f"{found.number} {found.title} · hint {number} of {len(found.head.hints)}", "bold")
    screen.show(text)


def reset(
    exercise: One,
    restore: Annotated[bool, typer.Option("--restore", help="bring back the file that was kept last")] = False,
) -> None:
    """Restore the stub; your file is kept beside it, dated, and --restore brings it back."""
    from tunelings.desk import files

    found = course().find(exercise)
    here = shown_path(found.answer_path)
    if restore:
        typer.echo(f"{here} has been restored from {shown_path(files.restore(found))}.")
        return
    kept = files.reset(found)
    typer.echo(f"{here} is the stub again." + (f" Your file is kept as {shown_path(kept)}." if kept else ""))


def solution(exercise: One, yes: Yes = False) -> None:
    """Show the reference beside your answer, as a diff; before you have passed, it asks first."""
    from tunelings.desk import screen
    from tunelings.grading import stubs
    from tunelings.grading.answers import AnswerError, read
    from tunelings.grading.states import ExerciseState
    from tunelings.grading.store import Progress
    from tunelings.writing import read_regular

    the_course = course()
    found = the_course.find(exercise)
    if Progress(the_course).state(found) != ExerciseState.PASSED and not yes:
        question = f"{found.number} isn't done yet. Show the reference anyway?"
        if not sys.stdin.isatty():
            raise CourseError(f"{found.number} isn't done yet: pass --yes to show the reference anyway.")
        if not typer.confirm(question):
            return
    try:
        answer = read(found.answer_path).text
    except AnswerError:
        answer = ""
    screen.show_diff(found, answer, stubs.uncut(read_regular(found.solution_path)))


def open_answer(exercise: One) -> None:
    """Open the answer in your editor ($VISUAL or $EDITOR)."""
    from tunelings.desk import editor

    raise typer.Exit(editor.edit(course().find(exercise)))
