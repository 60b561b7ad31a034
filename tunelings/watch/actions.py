"""What each key does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from tunelings.course import shown_path
from tunelings.desk import editor, files, hints, screen
from tunelings.grading import answers, stubs
from tunelings.grading.states import ExerciseState
from tunelings.watch.keys import Keys
from tunelings.watch.session import Session
from tunelings.writing import read_regular


class Quit(Exception):
    """The learner wants to leave."""


class Actions:
    """The keys of a session: those of an exercise, of the list, and the answer to a question."""

    def __init__(self, session: Session):
        self.session = session
        self.view = session.view
        self.keys: Keys | None = None  # Given back to the terminal while an editor uses it.
        self._by_key: dict[str, Callable[[], None]] = {
            "h": self._hint,
            "n": lambda: self._walk(0),
            "p": lambda: self._walk(-1),
            "l": self._list,
            "s": self._solution,
            "r": lambda: session.check([self.view.exercise]),
            "c": session.stop,
            "x": self._ask_reset,
            "o": self._open,
            "q": self._quit,
        }

    def press(self, key: str) -> None:
        """Do what a key stands for at this moment; raises Quit for q, and KeyboardInterrupt for Ctrl-C."""
        if key == "interrupt":
            raise KeyboardInterrupt
        if key == "continued":
            self.view.draw()
        elif self.view.on_yes:
            on_yes = self.view.on_yes
            self.view.asked()
            if key == "y":
                on_yes()
            self.view.draw()
        elif self.view.listing:
            self._press_in_list(key)
        elif action := self._by_key.get(key):
            action()

    def _quit(self) -> None:
        raise Quit

    def _walk(self, which: int) -> None:
        if others := self.session.others():
            self.session.move(others[which])

    def _list(self) -> None:
        exercises = self.session.course.exercises
        self.view.states = self.session.progress.states()
        self.view.listing = exercises
        self.view.cursor = next((i for i, e in enumerate(exercises) if e.number == self.view.exercise.number), 0)
        self.view.draw()

    def _press_in_list(self, key: str) -> None:
        exercises = self.view.listing
        match key:
            case "up" | "k" | "down" | "j":
                step = -1 if key in {"up", "k"} else 1
                self.view.cursor = (self.view.cursor + step) % len(exercises)
                self.view.draw()
            case "enter":
                self.view.listing = ()
                self.session.move(exercises[self.view.cursor])
            case "l" | "q" | "escape":
                self.view.listing = ()
                self.view.draw()

    def _hint(self) -> None:
        level, text = hints.next_hint(self.view.exercise, None)
        self.view.say(f"Hint {level} of {len(self.view.exercise.head.hints)}: {text}")
        self.view.draw()

    def _solution(self) -> None:
        exercise = self.view.exercise
        if self.session.progress.state(exercise) != ExerciseState.PASSED:
            self.view.say(f"After a pass. `tunelings solution {exercise.number}` shows it before.")
            self.view.draw()
            return
        answer = answers.read(exercise.answer_path).text
        reference = stubs.uncut(read_regular(exercise.solution_path))
        self.view.draw()
        screen.show_diff(exercise, answer, reference)

    def _ask_reset(self) -> None:
        path = shown_path(self.view.exercise.answer_path)
        self.view.ask(f"Put the stub of {path} back? Your file is kept beside it. y/n", self._reset)

    def _reset(self) -> None:
        kept = files.reset(self.view.exercise)
        self.session.check([self.view.exercise])  # Before the watcher reports the change: what is said next stays.
        self.view.say(f"The stub is back; your file is kept as {shown_path(kept)}." if kept else "The stub is back.")

    def _open(self) -> None:
        with self.keys.suspended() if self.keys else contextlib.nullcontext():
            editor.edit(self.view.exercise)
        self.view.draw()
