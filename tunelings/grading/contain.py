"""Keep what an answer does from reaching the next check.

`contained()` gives each check the same starting state (seeds, grad mode, default dtype, patched functions, working
folder) and puts it back afterwards (`snapshot.py`).
"""

from __future__ import annotations

import contextlib
import random
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

from tunelings.grading.snapshot import Snapshot


class Exited(Exception):
    """The answer tried to end the run: sys.exit, or an exception that no `except Exception` catches."""


class LeftBehind(Exception):
    """The answer left global state changed."""


class GraderChanged(LeftBehind):
    """The answer changed what checks it."""


@contextlib.contextmanager
def contained(global_seed: int = 0, check: dict[str, Any] | None = None) -> Iterator[None]:
    """Run one check in a known state, and restore that state; `check` is the namespace of the check's file.

    Raises:
        Exited: the answer called sys.exit or raised SystemExit, KeyboardInterrupt or GeneratorExit itself.
        LeftBehind: grad mode, a hook, a function of a library or another global state was left changed.
        GraderChanged: what was changed is the grader itself; this is said also where the check failed.
    """
    seed_everything(global_seed)
    before = Snapshot(check)
    try:
        with _interrupts_told_apart() as user_pressed, warnings.catch_warnings():
            warnings.simplefilter("default")  # Whoever runs this may have made errors of them.
            try:
                yield
            except (SystemExit, KeyboardInterrupt, GeneratorExit) as error:
                if user_pressed.is_set():
                    raise
                raise Exited(f"the answer ends the program: {type(error).__name__}") from error
    except KeyboardInterrupt:
        before.restore()
        raise
    except BaseException as error:
        changed, of_the_grader = before.restore()
        if of_the_grader:
            raise GraderChanged(_grader_changed(of_the_grader)) from error
        own = [name for name in changed if name.startswith("builtins.")]
        if own:  # What the check raised comes of them.
            raise LeftBehind(_left_behind(own)) from error
        raise
    changed, of_the_grader = before.restore()
    if of_the_grader:
        raise GraderChanged(_grader_changed(of_the_grader))
    if changed:
        raise LeftBehind(_left_behind(changed))


def _left_behind(names: list[str]) -> str:
    return f"the answer leaves {', '.join(names[:3])} changed for everything that runs after it"


GRADER_CHANGED = "the grader was changed"


def _grader_changed(names: list[str]) -> str:
    return f"{GRADER_CHANGED}: the answer replaces {', '.join(names[:3])}"


def seed_everything(seed: int) -> None:
    """Seed random, and numpy and torch where they are loaded."""
    random.seed(seed)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(seed)
    if torch := sys.modules.get("torch"):
        torch.default_generator.manual_seed(seed)
        if torch.cuda.is_initialized():  # Before that, each seeding would only be noted, with a stack trace.
            torch.cuda.manual_seed_all(seed)


@contextlib.contextmanager
def _interrupts_told_apart() -> Iterator[threading.Event]:
    """An event that is set when the user pressed Ctrl-C, as opposed to the answer raising it."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return
    previous = signal.getsignal(signal.SIGINT)

    def on_interrupt(signum, frame):
        pressed.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, previous)
