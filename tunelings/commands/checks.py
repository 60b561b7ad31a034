"""`tunelings`, `watch`, `list` and `run`: the verdicts on answers, and how far one is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tunelings.commands.arguments import Plain, Some, course, stop_if_broken
from tunelings.course import Course, CourseError, Exercise

if TYPE_CHECKING:
    from tunelings.grading.verdict import Verdict


def begin(the_course: Course) -> None:
    """Watch from the first unfinished exercise on; without a terminal, check it once."""
    from tunelings.desk import screen
    from tunelings.grading.store import Progress

    exercise = Progress(the_course).next_exercise()
    if exercise is None:
        screen.show_next(the_course, None)
    elif screen.console.is_terminal and sys.stdin.isatty():
        follow(the_course, exercise, "all", poll=False)
    else:
        raise typer.Exit(check_and_show(the_course, [exercise]))


def follow(the_course: Course, first: Exercise, selection: str, *, poll: bool, plain: bool = False) -> None:
    """Run the watch loop; `n` and `p` walk through what `selection` names."""
    stop_if_broken()
    from tunelings.watch.loop import Watcher

    Watcher(the_course, first, selection, plain=plain).run(poll=poll)


def watch(
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="an exercise or a module; default: everything", show_default=False)
    ] = "all",
    poll: Annotated[bool, typer.Option("--poll", help="poll for changes (for network drives)")] = False,
    plain: Plain = False,
) -> None:
    """Show the verdict of an exercise the moment its file is saved."""
    from tunelings.grading.states import ExerciseState
    from tunelings.grading.store import Progress

    the_course = course()
    chosen = the_course.select(what)
    states = Progress(the_course).states()
    first = next((exercise for exercise in chosen if states[exercise.number] != ExerciseState.PASSED), chosen[0])
    follow(the_course, first, what if len(chosen) > 1 else "all", poll=poll, plain=plain)


def list_all() -> None:
    """Show the status of every exercise."""
    from tunelings.commands import tables
    from tunelings.grading.store import Progress

    the_course = course()
    tables.show_list(the_course, Progress(the_course).refresh())


def run(
    what: Some,
    as_json: Annotated[
        bool, typer.Option("--json", help="print the verdicts as JSON (docs/verdicts.md describes it)")
    ] = False,
    plain: Plain = False,
) -> None:
    """Run the checks of an exercise, a module or everything, once."""
    import json

    from tunelings.grading.states import ExerciseState
    from tunelings.grading.verdict import VERSION, to_json

    the_course = course()
    exercises = the_course.select(what)
    if not as_json:
        raise typer.Exit(check_and_show(the_course, exercises, plain=plain))
    verdicts, trouble = check(exercises)
    print(json.dumps({"version": VERSION, "verdicts": [to_json(one) for one in verdicts]}, indent=1))
    if trouble:
        print(trouble, file=sys.stderr)
    passed = not trouble and all(one.state == ExerciseState.PASSED for one in verdicts)
    raise typer.Exit(0 if passed else 1)


def check(exercises: list[Exercise]) -> tuple[list[Verdict], str]:
    """The verdicts, and what kept other exercises from having one.

    Raises:
        CourseError: no exercise has a verdict.
    """
    stop_if_broken()
    from tunelings.desk import screen
    from tunelings.grading import grade

    try:
        return grade.check(exercises), ""
    except grade.CheckError as error:
        trouble = f"The checks can't be run: {screen.in_one_line(str(error))}"
        if not error.verdicts:
            raise CourseError(trouble) from None
        return error.verdicts, trouble


def check_and_show(the_course: Course, exercises: list[Exercise], *, plain: bool = False) -> int:
    """Check, print the verdicts, and return the exit code."""
    verdicts, trouble = check(exercises)
    from tunelings.desk import screen
    from tunelings.grading.states import ExerciseState
    from tunelings.grading.store import Progress

    if plain:
        screen.be_plain()
    by_number = {exercise.number: exercise for exercise in exercises}
    for one in verdicts:
        screen.show_verdict(one, by_number[one.number])
        if plain:
            screen.show_problem(one)
    if trouble:
        print(trouble, file=sys.stderr)
    elif all(one.state == ExerciseState.PASSED for one in verdicts):
        screen.show_next(the_course, Progress(the_course).next_exercise())
        return 0
    return 1
