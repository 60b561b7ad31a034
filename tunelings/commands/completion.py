"""`tunelings completion`: the script that completes commands, options and exercises in a shell."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer

from tunelings.course import Course, CourseError, find_root

PROGRAM = "tunelings"
VARIABLE = "_TUNELINGS_COMPLETE"  # What a shell sets when it asks for completions, as click and typer name it.


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


def completion(shell: Annotated[Shell, typer.Argument(help="the shell to complete in")]) -> None:
    """Print the script that completes commands, options and exercises in a shell.

    \b
    bash        eval "$(tunelings completion bash)"      in ~/.bashrc
    zsh         eval "$(tunelings completion zsh)"       in ~/.zshrc, after compinit
    fish        tunelings completion fish > ~/.config/fish/completions/tunelings.fish
    PowerShell  tunelings completion powershell | Out-String | Invoke-Expression      in $PROFILE
    """
    from typer.completion import get_completion_script

    typer.echo(get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell.value))


def answer_the_shell() -> None:
    """Make typer ready where a shell asks for completions; typer itself does so only beside options of its own."""
    if VARIABLE in os.environ:
        from typer.completion import completion_init

        completion_init()


def exercises(incomplete: str) -> list[tuple[str, str]]:
    """The numbers of the exercises that begin so, each with its name in words; nothing outside a course."""
    try:
        found = Course(find_root()).exercises
    except CourseError:
        return []
    return [(e.number, e.name[5:].replace("_", " ")) for e in found if e.number.startswith(incomplete)]
