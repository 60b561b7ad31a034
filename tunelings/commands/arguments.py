"""What several commands take as arguments, and what they all begin with: the course."""

from __future__ import annotations

from typing import Annotated

import typer

from tunelings.commands.completion import exercises
from tunelings.course import UNFINISHED, Course, CourseError, find_root, shown_path

_ONE, _SOME = 'such as "1.05", "training_step" or its file', 'an exercise ("1.05"), a module ("module01") or "all"'
One = Annotated[str, typer.Argument(metavar="EXERCISE", help=_ONE, autocompletion=exercises)]
Some = Annotated[str, typer.Argument(metavar="WHAT", help=_SOME, autocompletion=exercises)]
Plain = Annotated[
    bool, typer.Option("--plain", help="for editors: nothing is drawn, and each failure is also path:line: error: text")
]


def course() -> Course:
    root = find_root()
    if (root / UNFINISHED).exists():
        raise CourseError(f"{shown_path(root)} is only partly set up: run `tunelings init` there to finish.")
    return Course(root)


def stop_if_broken() -> None:
    """Raise CourseError where a package that the course needs is missing or of a wrong version."""
    from tunelings.grading import environment

    if wrong := environment.problem():
        raise CourseError(wrong[0].upper() + wrong[1:])
