"""What the watch loop shows. In a terminal the screen is drawn anew; in a pipe each verdict is printed once.

With `--plain`, for editors, it is printed once in a terminal too, between a line `checking 1.05 …` and a line
`checked 1.05 …`, and with a line `path:line: error: …` that an editor can jump to (.vscode/tasks.json reads all three).
"""

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
LINES_BELOW_LIST = 3  # an empty one, the help, and the one that the cursor of the terminal is left on


class View:
    """The current exercise, its verdict and what else is on the screen."""

    def __init__(self, exercise: Exercise, states: dict[str, ExerciseState], plain: bool = False):
        if plain:
            screen.be_plain()
        self.is_plain = plain
        self.exercise = exercise
        self.states = states
        self.verdict: Verdict | None = None
        self.running = False
        self.activity = ""
        self.trouble = ""
        self.greeting: tuple[str, ...] = ()
        self.messages: list[str] = []
        self._said_before = 0  # how many of the messages are older than the check under way
        self.next_one: Exercise | None = None
        self.module_done = False
        self.question = ""
        self.on_yes: Callable[[], None] | None = None  # what y does, while a question is on the screen
        self.listing: tuple[Exercise, ...] = ()
        self.cursor = 0
        self.interactive = screen.console.is_terminal and sys.stdin.isatty()

    def greet(self) -> None:
        """Three lines for a learner who starts for the first time; they go with the first change of the screen."""
        self.greeting = (
            "Welcome to tunelings. Fill in a TODO and save: the verdict appears here.",
            f"The first one is in {shown_path(self.exercise.answer_path)}.",
            "h gives a hint, n goes to the next exercise, l lists them all, q quits.",
        )

    def turn_to(self, exercise: Exercise) -> None:
        self.exercise = exercise
        self.verdict, self.trouble, self.module_done = None, "", False
        self.greeting, self.messages = (), []

    def begin(self) -> None:
        """A check was started; a verdict that is on the screen stays there, marked as the previous one."""
        self.running, self.activity, self.trouble = True, "checking", ""
        self._said_before = len(self.messages)
        self._tell_editor("checking")
        self.draw()

    def checking(self, check: str) -> None:
        self.activity = f"checking: {sentence_of(check)}"

    def report(self, done: float, text: str) -> None:
        """A long check says how far it is."""
        self.activity = f"{bar(done, 20)} {done:4.0%} {text}"
        if self.interactive:
            self.draw()

    def show(self, verdict: Verdict, next_one: Exercise | None, module_done: bool) -> None:
        """A verdict came; if it is another than before, what was said before its check goes."""
        self.running = False
        if self.verdict is None or verdict.failure != self.verdict.failure:
            self.messages = self.messages[self._said_before :]
            if self.verdict is not None:
                self.greeting = ()
        self.verdict, self.next_one, self.module_done = verdict, next_one, module_done
        self.draw()
        if self.is_plain:
            screen.show_problem(verdict)
        self._tell_editor("checked")

    def no_verdict(self, why: str) -> None:
        """Say why there is none."""
        self.running, self.verdict, self.trouble = False, None, why
        self.draw()
        self._tell_editor("checked")

    def _tell_editor(self, word: str) -> None:
        """The line by which an editor knows that its list of problems is about to change, or complete."""
        if self.is_plain:
            screen.show(f"{word} {self._name()}")

    def say(self, message: str) -> None:
        self.messages.append(message)

    def ask(self, question: str, on_yes: Callable[[], None]) -> None:
        self.question, self.on_yes = question, on_yes
        self.draw()

    def asked(self) -> None:
        """The question was answered, one way or the other."""
        self.question, self.on_yes = "", None

    def draw(self) -> None:
        """Everything, from the top."""
        if not self.interactive:
            self._print_plainly()
            return
        with screen.console:  # Written at once, so that nothing flickers.
            screen.console.clear()
            if self.listing:
                self._draw_list()
            else:
                self._draw_exercise()

    def _draw_exercise(self) -> None:
        for line in self.greeting:
            screen.show(line)
        if self.greeting:
            screen.show("")
        screen.show(self._header(), "bold")
        screen.show("")
        if self.running:
            self._draw_activity()
        self._body()
        for message in [*self.messages, *([self.question] if self.question else [])]:
            screen.show("")
            screen.show(message)
        screen.show("")
        screen.show(KEY_HELP, "dim")

    def _draw_activity(self) -> None:
        if self.verdict is None:
            screen.show(f"{self._name()} · {shown_path(self.exercise.answer_path)}", "bold")
            screen.show(self.activity)
        else:
            screen.show(f"{self.activity} · the verdict below is the previous one", "yellow")
            screen.show("")

    def _print_plainly(self) -> None:
        if not self.running:
            self._body()
        for message in self.messages:
            screen.show(message)
        self.messages = []

    def _name(self) -> str:
        return f"{self.exercise.number} {self.exercise.title}"

    def _header(self) -> str:
        module = self.exercise.module
        numbers = [n for n in self.states if n.split(".")[0] == self.exercise.number.split(".")[0]]
        done = sum(self.states[number] == ExerciseState.PASSED for number in numbers)
        place = f"{bar(done / max(1, len(numbers)), 10)} {done} of {len(numbers)} done"
        return f"{MODULES[module]} {place}"

    def _body(self) -> None:
        if self.trouble:
            screen.show(self._name(), "bold")
            screen.show(self.trouble)
        elif self.verdict is not None:
            try:
                screen.show_verdict(self.verdict, self.exercise, dim=self.running)
            except CourseError as error:  # The card is damaged, and what was learnt stands there.
                screen.show(str(error))
            if self.verdict.state == ExerciseState.PASSED and not self.running:
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
        """As many lines as the screen has room for, the cursor's among them."""
        lines: list[Text] = []
        cursor_line, module = 0, ""
        for index, exercise in enumerate(self.listing):
            if exercise.module != module:
                module = exercise.module
                lines.append(Text(screen.plain(f"Module {module_number(module)} · {MODULES[module]}"), style="bold"))
            if index == self.cursor:
                cursor_line = len(lines)
            lines.append(self._list_line(exercise, index == self.cursor))
        room = max(1, screen.console.size.height - LINES_BELOW_LIST)
        start = max(0, min(cursor_line - room // 2, len(lines) - room))
        for line in [*lines[start : start + room], Text(), Text(screen.plain(LIST_HELP), style="dim")]:
            screen.console.print(line, no_wrap=True, overflow="ellipsis", crop=True, soft_wrap=False)

    def _list_line(self, exercise: Exercise, is_chosen: bool) -> Text:
        pointer = ">" if is_chosen else " "
        title = screen.plain(f"{pointer} {exercise.number} {exercise.title[:28]:<28} ")
        return Text(title) + screen.state_text(self.states[exercise.number])


def bar(share: float, width: int) -> str:
    """A progress bar of `width` characters."""
    filled = round(share * width)
    return "█" * filled + "░" * (width - filled)
