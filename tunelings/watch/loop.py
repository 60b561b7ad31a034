"""The watch loop: a saved file becomes a verdict on the screen.

Everything that happens (a file, a key, an event of a worker) comes through one queue and is handled in one
thread, so nothing here needs a lock. How a verdict is made is the worker's business.
"""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import watchfiles

from tunelings.course import Course, CourseError, Exercise, shown_path
from tunelings.desk import editor, files, hints, screen
from tunelings.grading import stubs
from tunelings.grading.states import ExerciseState
from tunelings.grading.store import Progress, content_hash
from tunelings.grading.verdict import Verdict, from_json
from tunelings.watch.keys import Keys
from tunelings.watch.pool import Pool
from tunelings.watch.view import View

PACKAGE = Path(__file__).resolve().parent.parent  # The grader, all of its rooms.
# A check's own limit acts inside the worker; beyond it by this many seconds, the worker is ended from here.
PATIENCE = 3.0
# Between checks the worker compares the failure with the known mistakes.
DIAGNOSIS_LIMIT = 120.0


class Quit(Exception):
    """The user wants to leave."""


class Watcher:
    """Follows the learner's files and keys, and keeps the screen up to date."""

    def __init__(self, course: Course, first: Exercise, within: list[Exercise], pool: Pool | None = None):
        self.course = course
        self.within = within  # what `n` and `p` walk through
        self.pool = pool or Pool(course)
        self.progress = Progress(course)
        self.view = View(first, self.progress.states())
        self.requested: dict[str, str] = {}  # number -> key of the answer that was last sent to be checked
        self.deadline: float | None = None
        self.limit = 0.0
        self.keys: Keys | None = None

    def run(self, *, poll: bool = False) -> None:
        """Watch until the user quits; leaves no process behind."""
        stop = threading.Event()
        watching = threading.Thread(target=self._watch_files, args=(stop, poll), daemon=True)
        watching.start()
        try:
            with contextlib.ExitStack() as stack:
                if self.view.interactive:
                    self.keys = stack.enter_context(Keys(lambda key: self._put(event="key", key=key)))
                self.check([self.view.exercise])
                while True:
                    self.handle_next()
        except (Quit, KeyboardInterrupt):
            pass
        finally:
            stop.set()
            self.pool.close()
            watching.join(timeout=2)

    # What happens

    def handle_next(self) -> None:
        """Wait for one thing to happen, and handle it."""
        timeout = None if self.deadline is None else max(0.0, self.deadline - time.monotonic())
        try:
            # Ctrl-C does not interrupt a wait without a limit on every system.
            server, event = self.pool.events.get(timeout=timeout if timeout is not None else 3600)
        except queue.Empty:
            if self.deadline is not None:
                self._end_hanging()
            return
        if server is None:
            {"key": self.on_key, "files": self.on_files}[event["event"]](event)
        elif self.pool.handle(server, event):
            self.on_worker(event)
        elif event["event"] == "died" and not self.pool.active and not self.pool.servers:
            self.view.say("The warm worker ended; a new one is being started.")
            self.pool.prepare(self.view.exercise)
            self.view.draw()

    def _put(self, **event) -> None:
        self.pool.events.put((None, event))

    def _watch_files(self, stop: threading.Event, poll: bool) -> None:
        root = self.course.root
        folders = [root / "exercises", root / "checks", root / "solutions", PACKAGE]
        changes = watchfiles.watch(
            *[folder for folder in folders if folder.exists()],
            stop_event=stop,
            step=10,
            debounce=200,
            rust_timeout=500,
            force_polling=poll or None,
            poll_delay_ms=100,
            raise_interrupt=False,
        )
        for batch in changes:
            self._put(event="files", paths=[path for _, path in batch])

    # Files

    def on_files(self, event: dict) -> None:
        paths = {Path(path) for path in event["paths"]}
        if any(path.suffix == ".py" and PACKAGE in path.parents for path in paths):
            self.view.say("The grader has changed: starting it anew.")
            self.pool.restart()
            self.requested.clear()
        if any((self.course.root / "exercises") not in path.parents for path in paths):
            self._reload_course()
        changed = [e for e in self.course.exercises if e.answer_path in paths or e.number == self.view.exercise.number]
        self.check([exercise for exercise in changed if self._is_new(exercise)])

    def _reload_course(self) -> None:
        self.course = Course(self.course.root)
        self.pool.course = self.progress.course = self.course
        with contextlib.suppress(CourseError):  # Its solution may be gone in this branch.
            self.view.exercise = self.course.find(self.view.exercise.number)

    def _is_new(self, exercise: Exercise) -> bool:
        return self.requested.get(exercise.number) != content_hash(exercise)

    # Verdicts

    def check(self, exercises: list[Exercise]) -> None:
        """Send exercises to be checked; what is shown is the current one if it is among them."""
        if not exercises:
            return
        numbers = {exercise.number for exercise in exercises}
        if self.view.exercise.number not in numbers:
            self.view.turn_to(exercises[0])
        for exercise in exercises:
            self.requested[exercise.number] = content_hash(exercise)
        self.limit, self.deadline = 0.0, time.monotonic() + DIAGNOSIS_LIMIT
        self.view.begin()
        self.pool.request(exercises)

    def on_worker(self, event: dict) -> None:
        kind = event["event"]
        if kind == "checking":
            self.limit = event["limit"]
            self.deadline = time.monotonic() + self.limit + PATIENCE
            self.view.checking(event["check"])
        elif kind == "checked":
            self.deadline = time.monotonic() + DIAGNOSIS_LIMIT
        elif kind == "progress":
            self.view.progress(event["done"], event["text"])
        elif kind == "verdicts":
            self._show([from_json(verdict) for verdict in event["verdicts"]])
        elif kind == "error":
            self.view.failed(f"The check could not be run. {event['text']}")
        elif kind == "died" and not event["once"] and self.view.running:
            self.view.say("The warm worker ended; a new one is being started.")
            self.check([self.view.exercise])  # In a process of its own, while the new worker imports.
        elif kind in {"ended", "died"}:
            self._ended()

    def _ended(self) -> None:
        self.deadline = None
        if self.view.running:  # No verdict came.
            self.view.failed("The process that checked the answer ended by itself: os._exit, or a crash in C code.")
        # A save while the check was running; its event comes too, unless it got lost.
        self.check([e for e in self.course.exercises if e.number in self.requested and self._is_new(e)])

    def _show(self, verdicts: list[Verdict]) -> None:
        before = self.progress.module_is_done(self.view.exercise.module, self.view.states)
        for verdict in verdicts:
            self.view.states[verdict.number] = self.progress.state(self.course.find(verdict.number))
        shown = next((v for v in verdicts if v.number == self.view.exercise.number), verdicts[0])
        after = self.progress.module_is_done(self.view.exercise.module, self.view.states)
        self.view.show(shown, next_one=self._neighbour(1, unfinished=True), module_done=after and not before)

    def _end_hanging(self) -> None:
        self.pool.cancel()
        self.deadline = None
        what = f"did not finish in {self.limit:g} s and could not be interrupted: it was ended"
        self.view.failed(f"The check {what}. Look for a loop that never ends, or a very large tensor.")

    # Keys

    def on_key(self, event: dict) -> None:
        key = event["key"]
        if self.view.question:
            answer, self.view.question = self.view.question, None
            if key == "y":
                answer()
            self.view.draw()
        elif self.view.listing:
            self._on_list_key(key)
        elif action := self._actions().get(key):
            action()

    def _actions(self) -> dict[str, Callable[[], None]]:
        return {
            "h": self._hint,
            "n": lambda: self._move(self._neighbour(1)),
            "p": lambda: self._move(self._neighbour(-1)),
            "l": self._list,
            "s": self._solution,
            "r": lambda: self.check([self.view.exercise]),
            "c": self._stop,
            "x": self._ask_reset,
            "o": self._open,
            "q": self._quit,
            "interrupt": self._quit,
        }

    def _quit(self) -> None:
        raise Quit

    def _on_list_key(self, key: str) -> None:
        exercises = self.course.exercises
        if key in {"up", "k", "down", "j"}:
            step = -1 if key in {"up", "k"} else 1
            self.view.cursor = (self.view.cursor + step) % len(exercises)
            self.view.draw()
        elif key == "enter":
            self.view.listing = ()
            self._move(exercises[self.view.cursor])
        elif key in {"l", "q", "escape"}:
            self.view.listing = ()
            self.view.draw()
        elif key == "interrupt":
            self._quit()

    def _list(self) -> None:
        self.view.states = self.progress.states()
        self.view.listing = self.course.exercises
        self.view.cursor = self.course.exercises.index(self.view.exercise)
        self.view.draw()

    def _neighbour(self, step: int, *, unfinished: bool = False) -> Exercise | None:
        """The exercise before or after the current one; with `unfinished`, the next that is not done."""
        here = next((i for i, e in enumerate(self.within) if e.number == self.view.exercise.number), 0)
        order: Iterable[int] = range(1, len(self.within)) if unfinished else (1,)
        for distance in order:
            exercise = self.within[(here + step * distance) % len(self.within)]
            if not unfinished or self.view.states[exercise.number] != ExerciseState.PASSED:
                return exercise
        return None

    def _move(self, exercise: Exercise | None) -> None:
        if exercise is not None:
            self.view.turn_to(exercise)
            self.check([exercise])

    def _hint(self) -> None:
        level, text = hints.next_hint(self.view.exercise, None)
        self.view.say(f"Hint {level} of {len(self.view.exercise.card.hints)}: {text}")
        self.view.draw()

    def _solution(self) -> None:
        exercise = self.view.exercise
        if self.progress.state(exercise) != ExerciseState.PASSED:
            self.view.say(f"After a pass. `tunelings solution {exercise.number}` shows it before.")
            self.view.draw()
            return
        answer = exercise.answer_path.read_text(encoding="utf-8")
        reference = stubs.uncut(exercise.solution_path.read_text(encoding="utf-8"))
        self.view.draw()
        screen.show_diff(exercise, answer, reference)

    def _stop(self) -> None:
        if self.view.running:
            self.pool.cancel()
            self.deadline = None
            self.view.failed("Stopped. Press r to run it again.")

    def _ask_reset(self) -> None:
        path = shown_path(self.view.exercise.answer_path)
        self.view.ask(f"Put the stub of {path} back? Your file is kept beside it. y/n", self._reset)

    def _reset(self) -> None:
        kept = files.reset(self.view.exercise)
        self.view.say(f"The stub is back; your file is kept as {shown_path(kept)}." if kept else "It was the stub.")

    def _open(self) -> None:
        try:
            command = editor.command_for(self.view.exercise)
        except CourseError as error:
            self.view.say(str(error))
        else:
            with self.keys.suspended() if self.keys else contextlib.nullcontext():
                subprocess.run(command, stdin=sys.stdin)
        self.view.draw()
