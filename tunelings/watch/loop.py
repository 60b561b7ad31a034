"""The watch loop: a saved file becomes a verdict on the screen.

Everything that happens (a file, a key, an event of a worker) comes through one queue and is handled in one
thread, so nothing here needs a lock. How a verdict is made is the worker's business.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Set
from pathlib import Path
from typing import NoReturn

import watchfiles

from tunelings.course import PACKAGE, Course, CourseError, Exercise
from tunelings.desk import screen
from tunelings.grading.answers import AnswerError
from tunelings.grading.stubs import StubError
from tunelings.watch import events
from tunelings.watch.actions import Actions, Quit
from tunelings.watch.keys import Keys
from tunelings.watch.pool import Happening, Pool, Said, Server
from tunelings.watch.session import Session

# Seconds of one wait: a signal (Ctrl-C, fg) that another thread receives is handled by this one when it wakes up.
_WAIT = 0.25
_LOOK = 1.0  # seconds between looks for an answer that has become a link


class Watcher:
    """Follows the learner's files and keys, and keeps the screen up to date.

    `selection` is what `n` and `p` walk through, as `Course.select` understands it; `plain` prints for an editor.
    """

    def __init__(
        self, course: Course, first: Exercise, selection: str = "all", pool: Pool | None = None, plain: bool = False
    ):
        self.session = Session(course, first, selection, pool, plain)
        self.actions = Actions(self.session)

    def run(self, *, poll: bool = False) -> None:
        """Watch until the user quits; leaves no process behind. Raises KeyboardInterrupt for Ctrl-C."""
        stop = threading.Event()
        session, view = self.session, self.session.view
        arguments = (session.course.root, lambda paths: self._put(events.FilesChanged(paths)), stop, poll)
        watching = [threading.Thread(target=watch, args=arguments, daemon=True) for watch in (watch_files, watch_links)]
        for thread in watching:
            thread.start()
        try:
            with _ended_in_order(), contextlib.ExitStack() as stack:
                if view.interactive:
                    keys = Keys(lambda key: self._put(events.KeyPressed(key)))
                    self.actions.keys = stack.enter_context(keys)
                session.check([view.exercise])
                while True:
                    self.handle_next()
        except Quit:
            pass
        finally:
            stop.set()
            session.pool.close()
            for thread in watching:
                thread.join(timeout=2)

    def handle_next(self) -> None:
        """Wait for one thing to happen, and handle it; what is wrong with the course is said on the screen."""
        session = self.session
        try:
            happening = session.pool.next_happening(_WAIT)
        except queue.Empty:
            if session.deadline is not None and time.monotonic() >= session.deadline:
                session.end_hanging()
            return
        try:
            self._handle(happening)
        except Quit:
            raise
        except (CourseError, StubError, AnswerError, OSError) as error:
            self._tell(str(error))
        except Exception as error:  # A fault of the loop itself must not cost the learner the session.
            self._tell(f"The loop hit an internal error and continues: {_place_of(error)}. Please report it.")

    def _tell(self, message: str) -> None:
        self.session.view.say(message)
        try:
            self.session.view.draw()
        except Exception:  # What cannot be drawn may be what the message is about.
            screen.show(message)

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
        changed = [e for e in session.course.exercises if e.number == here or paths & {e.answer_path, _target(e)}]
        session.check([exercise for exercise in changed if session.is_new(exercise)])


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """A signal to end, or a terminal that is closed, ends the loop as Ctrl-C does: the check under way ends with it."""

    def end(number: int, _: object) -> NoReturn:
        for one in numbers:  # A closed terminal may be told of twice; what ends here is not interrupted.
            signal.signal(one, signal.SIG_IGN)
        raise SystemExit(128 + number)

    known = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    numbers = [number for number in known if signal.getsignal(number) == signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, end)
    yield


def watch_files(
    root: Path, on_change: Callable[[frozenset[Path]], None], stop: threading.Event, poll: bool = False
) -> None:
    """Call `on_change` with the files of the course or of the grader that have changed, until `stop` is set.

    A folder that was deleted is watched again once it is back; its own path then stands for all that is in it.
    """
    folders = [root / "exercises", root / "checks", root / "solutions", PACKAGE]
    watched, back = _places(folders), frozenset[Path]()
    while not stop.is_set():
        for paths in _changes(list(watched), stop, poll):
            if paths or back:
                on_change(paths | back)
            places, gone = _places(folders), paths & watched.keys()
            back = frozenset(folder for folder in places if folder in gone or places[folder] != watched.get(folder))
            watched = places
            if gone or back:
                break


def watch_links(
    root: Path, on_change: Callable[[frozenset[Path]], None], stop: threading.Event, poll: bool = False
) -> None:
    """The same for answers that are links: their files are watched where they are."""
    while not stop.is_set():
        folders = _folders_of_links(root)
        if not folders:
            stop.wait(_LOOK)
            continue
        for paths in _changes(folders, stop, poll, recursive=False):
            if paths:
                on_change(paths)
            if _folders_of_links(root) != folders:
                break


def _changes(
    folders: list[Path], stop: threading.Event, poll: bool, recursive: bool = True
) -> Iterator[frozenset[Path]]:
    """What has changed in these folders; an empty set, about twice a second, where nothing has."""
    changes = watchfiles.watch(
        *folders,
        stop_event=stop,
        step=10,
        debounce=200,
        rust_timeout=500,
        yield_on_timeout=True,
        force_polling=poll or None,
        poll_delay_ms=100,
        raise_interrupt=False,
        recursive=recursive,
    )
    try:
        for batch in changes:
            yield frozenset(Path(path) for _, path in batch)
    except FileNotFoundError:  # One has gone meanwhile.
        stop.wait(_LOOK)
        yield frozenset()


def _places(folders: list[Path]) -> dict[Path, tuple[int, int]]:
    """Where on the disk each of the folders is that are there: one that is made anew lies in another place."""
    places = {}
    for folder in folders:
        with contextlib.suppress(OSError):
            found = folder.stat()
            places[folder] = (found.st_dev, found.st_ino)
    return places


def _folders_of_links(root: Path) -> list[Path]:
    """The folders that hold the files of the answers that are links."""
    links = [path for path in (root / "exercises").glob("module*/*.py") if path.is_symlink()]
    return sorted({folder for link in links if (folder := Path(os.path.realpath(link)).parent).is_dir()})


def _target(exercise: Exercise) -> Path:
    """Where the answer's file is, also if the answer is a link."""
    return Path(os.path.realpath(exercise.answer_path))


def _place_of(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(frame.filename).name}, line {frame.lineno})"
