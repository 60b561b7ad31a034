"""The command line."""

from __future__ import annotations

import sys

import typer

from tunelings import dev
from tunelings.course import CourseError

app = typer.Typer(no_args_is_help=False)
app.add_typer(dev.app, name="dev")


def main() -> None:
    try:
        app()
    except CourseError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
