"""The commands that `tunelings --help` lists; `cli` starts them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_group

from tunelings import __version__
from tunelings.commands import answers, checks, init
from tunelings.commands.arguments import course
from tunelings.commands.completion import PROGRAM, answer_the_shell, completion
from tunelings.course import CourseError, find_root, module_key


class Commands(TyperGroup):
    """The commands below, and those of `more`, which are imported once a name is none of these or all are listed."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        from tunelings.commands import more

        self.commands = {**self.commands, **get_group(more.app).commands}
        return super().list_commands(ctx)

    def get_command(self, ctx: typer.Context, cmd_name: str):  # type: ignore[override]
        if cmd_name not in self.commands:
            self.list_commands(ctx)
        return super().get_command(ctx, cmd_name)


app = typer.Typer(
    cls=Commands,
    help="A self-grading course on model customization. Without a command, it opens the first exercise that is not "
    "done, and shows its verdict each time you save; where there is no course yet, it makes a folder with one.",
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(init.init)
app.command()(init.update)
app.command()(checks.watch)
app.command("list")(checks.list_all)
app.command()(checks.run)
app.command()(answers.hint)
app.command()(answers.reset)
app.command()(answers.solution)
app.command("open")(answers.open_answer)
app.command()(completion)


def show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tunelings {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="show the version and exit")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        init.begin()


@app.command("quiz")
def take_quiz(
    module: Annotated[str, typer.Argument(metavar="MODULE", help='a module, such as "3" or "module03"')],
) -> None:
    """Ask the questions at the end of a module."""
    from tunelings import questions
    from tunelings.commands import quiz
    from tunelings.desk import screen

    the_course = course()
    key = module_key(module)
    asked = questions.load(questions.path_of(the_course.root, key))
    right = quiz.ask(asked, lambda line: screen.show(line), typer.prompt)
    screen.show(f"\n{right} of {len(asked)} at the first try.", "bold")


@app.command("doctor")
def see_doctor(
    measure: Annotated[
        bool,
        typer.Option("--measure", help="make two real training steps of each run that fits, with random weights"),
    ] = False,
    file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="save what --measure finds as JSON")
    ] = None,
) -> None:
    """Check this machine: what's wrong, how to fix it, and which full runs fit its GPU."""
    from tunelings.commands import doctor, tables
    from tunelings.desk import screen
    from tunelings.handson import hardware

    if measure or file:
        from tunelings.commands import measuring

        measuring.check(measure, file)
    found: list[doctor.Finding] = []
    for machine in doctor.examine():  # Each time it has said more.
        new = doctor.findings(machine)[len(found) :]
        tables.show_findings(new)
        found += new
    screen.show("")
    if measure:
        failed = measuring.run(hardware.ROWS, file)
    else:
        gib = [gpu.memory_gib for gpu in doctor.gpus(machine.smi)]
        tables.show_hardware(hardware.ROWS, max(gib, default=None))
        failed = 0
    wrong = sum(finding.state == "wrong" for finding in found)
    if wrong:
        screen.show(f"{wrong} of {len(found)} need fixing.", "bold")
    if wrong or failed:
        raise typer.Exit(1)


@app.command()
def site(port: Annotated[int, typer.Option(min=1, max=65535, help="the port on this machine")] = 8000) -> None:
    """Serve the lessons on this machine; its status page follows your verdicts."""
    root = find_root()
    os.environ["NO_MKDOCS_2_WARNING"] = "1"
    from mkdocs.commands.serve import serve
    from mkdocs.exceptions import MkDocsException

    typer.echo(f"The lessons are at http://127.0.0.1:{port}/ in a few seconds. Ctrl-C stops it.")
    try:
        serve(str(root / "mkdocs.yml"), dev_addr=f"127.0.0.1:{port}")
    except OSError as error:
        raise CourseError(f"The lessons can't be served at port {port} (--port takes another): {error}") from None
    except MkDocsException as error:
        raise CourseError(f"The lessons can't be built: {error}") from None


def run() -> None:
    """Run the command line; what a user can put right is one line on standard error."""
    answer_the_shell()
    try:
        app(prog_name=PROGRAM)
    except CourseError as error:
        _end(error, 2)
    except OSError as error:
        _end(f"{error.filename}: {error.strerror}" if error.filename else error, 2)
    except Exception as error:
        if (code := _code_of(error)) is None:
            raise
        _end(error, code)


def _code_of(error: Exception) -> int | None:
    """The exit code where it is one of the errors of the course's own parts; they are not imported to be named here."""
    from tunelings.grading.stubs import StubError
    from tunelings.handson.models import ModelError

    return 2 if isinstance(error, StubError) else 1 if isinstance(error, ModelError) else None


def _end(line: object, code: int) -> NoReturn:
    print(line, file=sys.stderr)
    raise SystemExit(code) from None
