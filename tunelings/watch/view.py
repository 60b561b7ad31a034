"""What the watch loop shows. In a terminal the screen is drawn anew; in a pipe each verdict is printed once."""

from __future__ import annotations

import sys
from collections.abc import Callable

from rich.text import Text

from tunelings.course import MODULES, CourseError, Exercise, module_number, shown_path
from tunelings.desk import screen
from tunelings.grading.states import ExerciseState
from tunelings.grading.verdict import Verdict, sentence_of

KEY_HELP = "h hint · n next · p previous · l list · r run · c stop · s solution · x reset · o open · q quit"
LIST_HELP = "up, down: move · enter: go there · l: back"


class View:
    """The current exercise, its verdict and what else is on the screen."""

    def __init__(self, exercise: Exercise, states: dict[str, ExerciseState]):
        self.exercise = exercise
        self.states = states
        self.verdict: Verdict | None = None
        self.running = False
        self.activity = ""
        self.trouble = ""
        self.messages: list[str] = []
        self.next_one: Exercise | None = None
        self.module_done = False
        self.on_yes: Callable[[], None] | None = None  # what y does, while a question is on the screen
        self.listing: tuple[Exercise, ...] = ()
        self.cursor = 0
        self.interactive = screen.console.is_terminal and sys.stdin.isatty()

    def turn_to(self, exercise: Exercise) -> None:
        self.exercise = exercise
        self.verdict, self.trouble, self.messages, self.module_done = None, "", [], False

    def begin(self) -> None:
        """A check was started."""
        self.running, self.activity, self.trouble = True, "checking", ""
        if self.verdict is None:
            self.draw()

    def checking(self, check: str) -> None:
        self.activity = f"checking: {sentence_of(check)}"

    def report(self, done: float, text: str) -> None:
        """A long check says how far it is."""
        self.activity = f"{bar(done, 20)} {done:4.0%} {text}"
        if self.interactive:
            self.draw()

    def show(self, verdict: Verdict, next_one: Exercise | None, module_done: bool) -> None:
        self.running = False
        if self.verdict is None or verdict.failure != self.verdict.failure:
            self.messages = []
        self.verdict, self.next_one, self.module_done = verdict, next_one, module_done
        self.draw()

    def no_verdict(self, why: str) -> None:
        """Say why there is none."""
        self.running, self.verdict, self.trouble = False, None, why
        self.draw()

    def say(self, message: str) -> None:
        self.messages.append(message)

    def ask(self, question: str, on_yes: Callable[[], None]) -> None:
        self.on_yes = on_yes
        self.messages = [question]
        self.draw()

    def draw(self) -> None:
        """Everything, from the top."""
        if not self.interactive:
            self._print_plainly()
            return
        screen.console.clear()
        if self.listing:
            self._draw_list()
            return
        screen.show(self._header(), "bold")
        screen.show("")
        if self.running and self.verdict is None:
            screen.show(self.activity)
        self._body()
        if self.running and self.verdict is not None:
            screen.show(self.activity, "dim")
        for message in self.messages:
            screen.show("")
            screen.show(message)
        screen.show("")
        screen.show(KEY_HELP, "dim")

    def _print_plainly(self) -> None:
        if not self.running:
            self._body()
        for message in self.messages:
            screen.show(message)
        self.messages = []

    def _header(self) -> str:
        module = self.exercise.module
        numbers = [n for n in self.states if n.split(".")[0] == self.exercise.number.split(".")[0]]
        done = sum(self.states[number] == ExerciseState.PASSED for number in numbers)
        place = f"{bar(done / max(1, len(numbers)), 10)} {done} of {len(numbers)} done"
        return f"{MODULES[module]} {place}"

    def _body(self) -> None:
        if self.trouble:
            screen.show(f"{self.exercise.number} {self.exercise.title}", "bold")
            screen.show(self.trouble)
        elif self.verdict is not None:
            try:
                screen.show_verdict(self.verdict, self.exercise, line=screen.show)
            except CourseError as error:  # The card is damaged, and what was learnt stands there.
                screen.show(str(error))
            if self.verdict.state == ExerciseState.PASSED:
                self._after_pass()

    def _after_pass(self) -> None:
        if self.module_done:
            screen.show("")
            screen.show(f"Module done: {MODULES[self.exercise.module]}. Every exercise in it passes.", "bold green")
        if self.next_one is None:
            screen.show("Every exercise here is done.")
        else:
            path = shown_path(self.next_one.answer_path)
            screen.show(f"Next (n): {self.next_one.number} {self.next_one.title} · {path}")

    def _draw_list(self) -> None:
        module = ""
        height = screen.console.size.height - 4
        start = max(0, min(self.cursor - height // 2, len(self.listing) - height))
        for index, exercise in enumerate(self.listing[start : start + height], start):
            if exercise.module != module:
                module = exercise.module
                screen.show(f"Module {module_number(module)} · {MODULES[module]}", "bold")
            pointer = ">" if index == self.cursor else " "
            state = screen.state_text(self.states[exercise.number])
            line = Text(f"{pointer} {exercise.number} {exercise.title[:28]:<28} ") + state
            screen.console.print(line, no_wrap=True, overflow="ellipsis")
        screen.show("")
        screen.show(LIST_HELP, "dim")


def bar(share: float, width: int) -> str:
    """A progress bar of `width` characters."""
    filled = round(share * width)
    return "█" * filled + "░" * (width - filled)
