"""How far grading is: a bar at a terminal, and elsewhere a line on stderr from time to time, for logs."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PERIOD = 30.0  # seconds after which there is a line, whatever has happened
MANY = 100  # answers after which there is one, too

Watch = Callable[[str, int, int], None]  # what is done, how much of it, of how much


@contextmanager
def progress() -> Iterator[Watch]:
    """What hears how far it is, and shows it until the block ends."""
    from tunelings.desk import screen

    with _bar() if screen.console.is_terminal else lines() as watch:
        yield watch


@contextmanager
def _bar() -> Iterator[Watch]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from tunelings.desk import screen

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen.console, transient=True) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda what, done, of: bar.update(task, description=what, completed=done, total=of)


@contextmanager
def lines(period: float = PERIOD, many: int = MANY) -> Iterator[Watch]:
    """A line after each `many` answers and each `period` seconds, also of those in which no answer ends."""
    said = Lines(many)
    is_over = threading.Event()

    def now_and_then() -> None:
        while not is_over.wait(period):
            said.say()

    thread = threading.Thread(target=now_and_then, daemon=True)
    thread.start()
    try:
        yield said.watch
    finally:
        is_over.set()
        thread.join()


class Lines:
    """What the lines say: "answers: 120 of 400 after 3 min, about 7 min left"."""

    def __init__(self, many: int):
        self.many = many
        self.lock = threading.Lock()
        self.what, self.done, self.of = "starting", 0, 0
        self.began = time.monotonic()

    def watch(self, what: str, done: int, of: int) -> None:
        with self.lock:
            if what != self.what:
                self.began = time.monotonic()
            passed_many = what == self.what and done // self.many > self.done // self.many
            self.what, self.done, self.of = what, done, of
        if passed_many or of and done == of:
            self.say()

    def say(self) -> None:
        with self.lock:
            seconds = time.monotonic() - self.began
            counted = f": {self.done} of {self.of}" if self.of else ""
            left = seconds * (self.of - self.done) / self.done if self.done else 0
            print(f"{self.what}{counted} after {_duration(seconds)}{f', about {_duration(left)} left' if left else ''}",
                  file=sys.stderr, flush=True)  # fmt: skip


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
