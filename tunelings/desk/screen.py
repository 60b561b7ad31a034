"""What the loop and the commands print.

rich does the drawing; it honors NO_COLOR and writes plain text to a file or pipe. Nothing is said by color alone:
every mark stands beside its word. What only a verdict needs is imported where one is shown, for `list` and `hint` show
none.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from rich.console import Console
from rich.style import Style
from rich.text import Text

from tunelings.course import Course, CourseError, Exercise, shown_path
from tunelings.grading.states import CheckState, ExerciseState
from tunelings.grading.text import fitted, printable, visible

if TYPE_CHECKING:
    from tunelings.grading.verdict import Verdict

console = Console(highlight=False, soft_wrap=True)

STYLES = {
    ExerciseState.PASSED: "green",
    ExerciseState.FAILED: "red",
    ExerciseState.IN_PROGRESS: "yellow",
    ExerciseState.NOT_STARTED: "dim",
}


def state_text(state: ExerciseState) -> Text:
    """A state as mark and word, such as "✓ done"."""
    return Text(plain(f"{state.mark} {state.word}"), style=STYLES[state])


def plain(text: str) -> str:
    """`text` in characters that this terminal can print."""
    return printable(text, console.encoding)


def be_plain() -> None:
    """From here on print as into a file, also in a terminal: no color, no link, and no line is wrapped."""
    global console
    console = Console(highlight=False, soft_wrap=True, force_terminal=False, no_color=True)


def show(text: str, style: str = "", lesson: Exercise | None = None) -> None:
    """Print a text, wrapped in a terminal and as it is in a pipe; a terminal opens the lesson that it names."""
    if console.is_terminal:
        text = fitted(text, console.width)
    printed = Text(plain(text), style=style)
    if lesson is not None:
        with contextlib.suppress(CourseError):  # The card, which says where the lesson is, is damaged.
            places = (lesson.lesson_address, shown_path(lesson.lesson_path))
            printed.highlight_words(places, Style(link=lesson.lesson_path.resolve().as_uri()))
    console.print(printed)


def show_verdict(verdict: Verdict, exercise: Exercise, dim: bool = False) -> None:
    """One exercise's verdict: what is asked, what to look at first, or what was learned; `dim` where it is outdated."""
    from tunelings.desk.task import task_lines
    from tunelings.grading import render

    def line(text: str, style: str = "") -> None:
        show(text, "dim" if dim else style, lesson=exercise)

    if verdict.state == ExerciseState.PASSED:
        line(f"{verdict.state.mark} {verdict.number} {verdict.title}: all {len(verdict.checks)} checks pass", "green")
        line(f"    {exercise.head.learnt}")
        return
    if verdict.state == ExerciseState.NOT_STARTED:
        line(f"{verdict.state.mark} {verdict.number} {verdict.title} · {verdict.state.word}", "bold")
        for text in task_lines(exercise):
            line(f"    {text}")
        return
    if verdict.failure is None:
        line(f"{verdict.number} {verdict.title}: no check ran", STYLES[verdict.state])
        return
    headline, *rest = render.failure_lines(verdict, verdict.failure)
    line(headline, STYLES[verdict.state])
    for text in rest:
        line(text)
    failing = sum(state.is_failure for state in verdict.checks.values())
    if failing > 1:
        passing = sum(state == CheckState.PASSED for state in verdict.checks.values())
        line(f"    {passing} of {len(verdict.checks)} checks pass; this is the first that doesn't")


def show_problem(verdict: Verdict) -> None:
    """The line for an editor's list of problems; nothing where there is none, as in a file that is still the stub."""
    from tunelings.grading import render

    if line := render.problem_line(verdict):
        show(line)


def in_one_line(trouble: str) -> str:
    """The line that counts of pytest's report on a check file that does not load."""
    errors = [line[1:].strip() for line in trouble.splitlines() if line.startswith("E ")]
    said = [line for line in errors if line.strip("^~ ")] or trouble.strip().splitlines()[-1:]
    return " ".join(said)


def show_next(course: Course, exercise: Exercise | None) -> None:
    if exercise is None:
        show("Every exercise is done. `tunelings solution 1.01` shows a reference beside your answer.")
    else:
        path = shown_path(exercise.answer_path)
        show(f"Next: {exercise.number} {exercise.title} · {path} · tunelings run {exercise.number}")


def show_diff(exercise: Exercise, answer: str, reference: str) -> None:
    """The way from the learner's answer to the reference, as a unified diff."""
    import difflib

    from rich.syntax import Syntax

    lines = difflib.unified_diff(
        answer.splitlines(), reference.splitlines(), "your answer", "the reference", lineterm="", n=2
    )
    diff = "\n".join(visible(line.expandtabs(4)) for line in lines)
    if not diff:
        show("Your answer is the reference, word for word.")
    elif console.is_terminal and not console.no_color:
        console.print(Syntax(diff, "diff", theme="ansi_dark", background_color="default", word_wrap=True))
    else:
        show(diff)
