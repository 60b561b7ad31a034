"""`tunelings project`: your own model, made by the functions that you have written."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from tunelings.commands.arguments import stop_if_broken
from tunelings.course import CourseError

app = typer.Typer(
    help="Customize a model on your own examples, with the answers that you have written.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="a project's name, or its folder")]
Mine = Annotated[bool, typer.Option("--mine", help="refuse references: only your own answers may run")]


@app.command()
def new(
    name: Name,
    data: Annotated[
        str | None, typer.Option(help="JSONL, CSV, TSV, Parquet, a `datasets` folder, or texts by label")
    ] = None,
    example: Annotated[str | None, typer.Option(help="a shipped project instead of --data: films or docs")] = None,
    model: Annotated[str, typer.Option(help='a hub name, a folder, a model of the course, or "tiny"')] = "smollm2",
    test: Annotated[str | None, typer.Option(help="a separate file for the test part")] = None,
    passages: Annotated[str | None, typer.Option(help="what retrieval searches: a file or a folder of texts")] = None,
    text: Annotated[str | None, typer.Option(help="the column of the text, for texts with labels")] = None,
    label: Annotated[str | None, typer.Option(help="the column of the label")] = None,
    prompt: Annotated[str | None, typer.Option(help="the column of the prompt")] = None,
    completion: Annotated[str | None, typer.Option(help="the column of the completion")] = None,
    head: Annotated[str | None, typer.Option(help='"answer" or "classifier"; default: what suits the model')] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="number of training updates")] = None,
    mine: Mine = False,
) -> None:
    """Look at the data, and write project.toml with what was chosen and why."""
    stop_if_broken()
    from tunelings.project import folder as folders
    from tunelings.project import new as looking
    from tunelings.project import steps as running

    if (data is None) == (example is None):
        raise CourseError("Pass --data FILE, or --example films or docs.")
    if head not in (None, "answer", "classifier"):
        raise CourseError(f"--head must be answer or classifier, not {head!r}.")
    folder = folders.place(name)
    if folder.settings.exists():
        raise CourseError(f"{folder.settings} already exists: change it, or choose another name.")
    options = {"example": example, "model": model, "text": text, "label": label, "prompt": prompt,
               "completion": completion, "head": head, "steps": steps}  # fmt: skip
    given = {"data": data, "test": test, "passages": passages}
    options |= {key: None if value is None else str(folders.expanded(value)) for key, value in given.items()}
    is_ours = folder.is_new()
    with running.alone(folder):
        folders.write(folder.path / looking.OPTIONS, json.dumps(options))
        try:
            with heard() as hear:
                running.run_apart(folder, "new", hear, mine=mine)
        except BaseException as error:
            (folder.path / looking.OPTIONS).unlink(missing_ok=True)
            if is_ours:
                folder.clear(but=folder.log("new") if isinstance(error, typer.Exit) else None)
            raise
    say(f"{shown(folder.settings)} says what was chosen and why. Next: tunelings project run {name}")


@app.command()
def run(
    name: Name,
    step: Annotated[str | None, typer.Argument(metavar="STEP", help="data, baseline, train, compare or export")] = None,
    again: Annotated[bool, typer.Option("--again", help="run the step, or all of them, even if done")] = False,
    push: Annotated[
        str | None, typer.Option(metavar="REPO", help="push the merged model to the hub afterwards")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="with --push: say what would be pushed")] = False,
    mine: Mine = False,
) -> None:
    """Run every step that is not done yet, or up to one of them."""
    stop_if_broken()
    from tunelings.project import config as settings
    from tunelings.project import folder as folders
    from tunelings.project import push as pushing
    from tunelings.project import report
    from tunelings.project import steps as running
    from tunelings.project.parts import counted

    if dry_run and not push:
        raise CourseError("--dry-run goes with --push REPO.")
    folder = folders.find(name)
    config = settings.load(folder)
    if push and not dry_run:
        pushing.check(push)
    with running.alone(folder):
        left = running.to_run(folder, config, step, mine=mine, again=again)
        if left:
            running.check(folder, config)
        else:
            say(f"{step or 'Every step'} is done already; --again repeats it.")
        for one in left:
            say(f"{one}", "bold")
            options = running.launch_options(folder, config) if one == "train" else {}
            with heard() as hear:
                running.run_apart(folder, one, hear, mine=mine, **options)
            say(f"  {told(folder.result(one) or {}, one)}")
        if folder.result("compare") and not report.is_current(folder):  # Perhaps it was killed while it wrote that.
            report.write(folder, config)
            say((folder.result("compare") or {})["verdict"]["sentence"], "bold")
            used = report.whose({one: folder.result(one) for one in running.STEPS})
            say(f"{counted(used).capitalize()}. The report is {shown(folder.report / 'report.html')}.")
    if push:
        for sent in pushing.push(folder, push, is_dry=dry_run):
            say(f"{'would push' if dry_run else 'pushed'} {sent}")


def told(result: dict[str, Any], step: str) -> str:
    """What a step has done, in one line."""
    from tunelings.project.intake import cuts
    from tunelings.project.kept import rows
    from tunelings.project.parts import counted

    says = ""
    if step == "data":
        says = ", ".join(f"{count:,} {name}" for name, count in result["written"].items())
        if broken := result["broken"]["count"]:
            says += f"; {broken} broken: {rows([place for place, _ in result['broken']['first']], broken)}"
        says = "; ".join([says, *cuts(result, "cut")])
    if step == "baseline":
        systems = result["systems"].items()
        says = ", ".join(f"{name} {sum(row['scores']) / len(row['scores']):.3f}" for name, row in systems)
    if step == "train":
        says = f"{result['steps']} of {result['of_steps']} updates, best validation loss {result['best_val_loss']:.4f}"
    if step == "compare":
        says = f"customized {result['systems']['customized']['score']:.3f}"
    if step == "export":
        says = ", ".join([*result["made"], *result["left"]])
    whose = f" · {counted(result['parts'])}" if result["parts"] else ""
    return (says or "done") + whose


@app.command()
def report(name: Name) -> None:
    """Write report.md and report.html, with pictures, from the steps that are done."""
    stop_if_broken()
    from tunelings.project import config as settings
    from tunelings.project import folder as folders
    from tunelings.project import report as writing

    folder = folders.find(name)
    with folders.writing(folder):
        writing.write(folder, settings.load(folder))
    say(f"The report is {shown(folder.report / 'report.html')}.")


@app.command()
def chat(name: Name) -> None:
    """Talk with the base and the customized model side by side."""
    stop_if_broken()
    from tunelings.project import chat as talking
    from tunelings.project import config as settings
    from tunelings.project import folder as folders

    folder = folders.find(name)
    talking.chat(folder, settings.load(folder))


@app.command()
def serve(
    name: Name,
    port: Annotated[int, typer.Option(min=1, max=65535, help="the port on this machine")] = 8000,
) -> None:
    """Serve the customized model at an OpenAI-compatible address on this machine."""
    stop_if_broken()
    from tunelings.project import config as settings
    from tunelings.project import folder as folders
    from tunelings.project import serve as serving

    folder = folders.find(name)
    raise typer.Exit(serving.serve(folder, settings.load(folder), port))


# ---------------------------------------------------------------- the screen
def say(text: str, style: str = "") -> None:
    from tunelings.desk import screen

    screen.show(text, style)


def shown(path: Path) -> str:
    from tunelings.course import shown_path

    return shown_path(path)


@contextmanager
def heard() -> Iterator[Callable[[dict[str, Any]], None]]:
    """A bar for what a step says, in a terminal; an answer that fails ends with exit code 1."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from tunelings.desk import screen
    from tunelings.project.errors import PartError

    columns = (
        TextColumn("  {task.description}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    bar = Progress(*columns, console=screen.console, transient=True, disable=not screen.console.is_terminal)
    try:
        with bar:
            task = bar.add_task("starting", total=1.0, left="")

            def hear(said: dict[str, Any]) -> None:
                if said["said"] == "progress":
                    left = "" if said["left"] is None else f"{said['left']:.0f} s left"
                    bar.update(task, completed=said["done"], description=screen.plain(said["text"]), left=left)
                elif said["said"] == "line":
                    screen.show(f"  {said['text']}")

            yield hear
    except PartError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None
