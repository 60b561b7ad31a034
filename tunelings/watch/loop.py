"""The watch loop: a saved file becomes a verdict on the screen.

Everything that happens (a file, a key, an event of a worker) comes through one queue and is handled in one
thread, so nothing here needs a lock. How a verdict is made is the worker's business.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Set
from pathlib import Path

import watchfiles

from tunelings.course import PACKAGE, Course, CourseError, Exercise
from tunelings.grading.stubs import StubError
from tunelings.watch import events
from tunelings.watch.actions import Actions, Quit
from tunelings.watch.keys import Keys
from tunelings.watch.pool import Happening, Pool, Said, Server
from tunelings.watch.session import Session


class Watcher:
    """Follows the learner's files and keys, and keeps the screen up to date.

    `selection` is what `n` and `p` walk through, as `Course.select` understands it.
    """

    def __init__(self, course: Course, first: Exercise, selection: str = "all", pool: Pool | None = None):
        self.session = Session(course, first, selection, pool)
        self.actions = Actions(self.session)

    def run(self, *, poll: bool = False) -> None:
        """Watch until the user quits; leaves no process behind."""
        stop = threading.Event()
        session, view = self.session, self.session.view
        arguments = (session.course.root, lambda paths: self._put(events.FilesChanged(paths)), stop, poll)
        watching = threading.Thread(target=watch_files, args=arguments, daemon=True)
        watching.start()
        try:
            with contextlib.ExitStack() as stack:
                if view.interactive:
                    keys = Keys(lambda key: self._put(events.KeyPressed(key)))
                    self.actions.keys = stack.enter_context(keys)
                session.check([view.exercise])
                while True:
                    self.handle_next()
        except (Quit, KeyboardInterrupt):
            pass
        finally:
            stop.set()
            session.pool.close()
            watching.join(timeout=2)

    def handle_next(self) -> None:
        """Wait for one thing to happen, and handle it; what is wrong with the course is said on the screen."""
        session = self.session
        # Ctrl-C does not interrupt a wait without a limit on every system.
        timeout = 3600.0 if session.deadline is None else max(0.0, session.deadline - time.monotonic())
        try:
            happening = session.pool.next_happening(timeout)
        except queue.Empty:
            if session.deadline is not None:
                session.end_hanging()
            return
        try:
            self._handle(happening)
        except (CourseError, StubError, OSError) as error:
            session.view.say(str(error))
            session.view.draw()

    def _handle(self, happening: Happening) -> None:
        match happening:
            case events.KeyPressed(key):
                self.actions.press(key)
            case events.FilesChanged(paths):
                self.on_files(paths)
            case Said(server, event):
                self._on_worker(server, event)

    def _on_worker(self, server: Server, event: events.FromWorker) -> None:
        session, pool = self.session, self.session.pool
        if pool.handle(server, event):
            session.on_worker(event)
        elif isinstance(event, events.Died) and server.ready and not pool.active and not pool.servers:
            session.replace_worker()  # One that dies before it is ready would do so again.

    def _put(self, event: events.FromLearner) -> None:
        self.session.pool.inbox.put(event)

    def on_files(self, paths: Set[Path]) -> None:
        """Check what has changed; if the grader has, with new workers."""
        session = self.session
        if any(path.suffix == ".py" and PACKAGE in path.parents for path in paths):
            session.restart_workers()
        if any((session.course.root / "exercises") not in path.parents for path in paths):
            session.reload()
        here = session.view.exercise.number
        changed = [e for e in session.course.exercises if e.answer_path in paths or e.number == here]
        session.check([exercise for exercise in changed if session.is_new(exercise)])


def watch_files(
    root: Path, on_change: Callable[[frozenset[Path]], None], stop: threading.Event, poll: bool = False
) -> None:
    """Call `on_change` with the files of the course or of the grader that have changed, until `stop` is set."""
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
        on_change(frozenset(Path(path) for _, path in batch))
