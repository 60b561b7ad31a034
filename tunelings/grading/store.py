"""Verdicts on disk, and the checklist STATUS.md that renders them.

`.tunelings/progress.json`:

    {"version": 1, "exercises": {"1.05": {"key": "3f9c…", "checks": {"test_…": "passed", …}}}}

`key` is the hash of the answer, the check and the card (`content_hash`): change any of them and the tick is gone
until the checks have run again. A tick is never stored; it is derived, each time, from what passed under this key.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping

from tunelings.course import MODULES, Course, Exercise, module_number
from tunelings.grading import answers, stubs
from tunelings.grading.states import CheckState, ExerciseState
from tunelings.writing import TooLarge, is_regular, parsed, read_regular, set_aside, write_atomically, write_if_changed

VERSION = 1
PATIENCE = 10.0  # seconds that a lock is waited for
# git ignores the file: a tick is no change to commit, and a pull meets no conflict. The file says so itself.
STATUS_HEAD = (
    "Boxes tick as checks pass: `pytest checks/module01`, or `tunelings`.",
    "",
    "This file is rewritten after each verdict, and git ignores it, so that it never gets in the way of a pull.",
    "What you add here is overwritten: keep notes in another file.",
)


class Progress:
    """The store of one course folder. Reading and writing never raise for a damaged or read-only store."""

    def __init__(self, course: Course):
        self.course = course
        self.path = course.root / ".tunelings" / "progress.json"
        self.status_path = course.root / "STATUS.md"
        self._locks = (self.path.with_suffix(".lock"), self.path.with_suffix(".second.lock"))
        self.kept: str | None = None

    def keep(self) -> None:
        """Hold the store as it is now, before an answer runs that could damage or delete it."""
        with contextlib.suppress(OSError, *_DAMAGE):
            text = read_regular(self.path)
            _exercises(text)
            self.kept = text

    def restore_if_damaged(self) -> None:
        """Bring back what `keep` held, if the store is gone or cannot be read any more."""
        if self.kept is None:
            return
        with contextlib.suppress(OSError):
            self._make_way()
            if self._is_damaged():
                self.path.parent.mkdir(exist_ok=True)
                write_atomically(self.path, self.kept)

    def _is_damaged(self) -> bool:
        try:
            _exercises(read_regular(self.path))
        except (FileNotFoundError, *_DAMAGE):
            return True
        return False

    def _make_way(self) -> None:
        """Set aside what an answer put in place of the store's folder or of one of its files: a folder, a pipe, …"""
        folder = self.path.parent
        if os.path.lexists(folder) and not folder.is_dir():
            say(f"{folder.name} was no folder; what stood there is kept as {set_aside(folder).name}.")
        for path in (self.path, *self._locks, self.status_path):
            if os.path.lexists(path) and not is_regular(path):
                say(f"{path.name} was no file; what stood there is kept as {set_aside(path).name}.")

    def record(self, exercise: Exercise, key: str, checks: Mapping[str, CheckState]) -> None:
        """Add the outcome of some checks of one exercise, as run on the answer that had this key."""
        try:
            self._make_way()
            self.path.parent.mkdir(exist_ok=True)
            with self._locked():
                stored = self._read()
                entry = stored.get(exercise.number, {})
                known = entry.get("checks", {}) if entry.get("key") == key else {}
                stored[exercise.number] = {"key": key, "checks": {**known, **checks}}
                text = json.dumps({"version": VERSION, "exercises": stored}, indent=1, sort_keys=True)
                write_atomically(self.path, text + "\n")
                write_if_changed(self.status_path, self.checklist())
        except OSError as error:
            say(f"The status could not be saved ({_reason(error)}); the verdict above stands.")

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other runs from writing meanwhile.

        A run holds a lock for milliseconds, so whoever keeps one longer is an answer that another run checks: then the
        second lock has to do, or none.
        """
        from filelock import FileLock

        with contextlib.ExitStack() as held:
            for path in self._locks:
                with contextlib.suppress(OSError):  # Held by another (a Timeout is one), or it cannot be opened.
                    held.enter_context(FileLock(path, timeout=PATIENCE))
                    break
            yield

    def is_new(self) -> bool:
        """Nothing was ever recorded in this course folder."""
        return not self.path.exists()

    def refresh(self) -> dict[str, ExerciseState]:
        """Write STATUS.md anew, so that a tick whose answer has changed since is gone; returns the states in it."""
        states = self.states()
        try:
            self._make_way()
            write_if_changed(self.status_path, self.checklist(states))
        except OSError as error:
            say(f"STATUS.md could not be written ({_reason(error)}).")
        return states

    def state(self, exercise: Exercise) -> ExerciseState:
        """Passed, in progress or not started, for the answer as it is now."""
        return self._state(exercise, self._read())

    def _state(self, exercise: Exercise, stored: dict) -> ExerciseState:
        entry = stored.get(exercise.number, {})
        if entry and entry.get("key") == content_hash(exercise):
            passed = {name for name, state in entry["checks"].items() if state == CheckState.PASSED}
            if passed >= set(exercise.check_names()):
                return ExerciseState.PASSED
        return ExerciseState.IN_PROGRESS if is_started(exercise) else ExerciseState.NOT_STARTED

    def states(self) -> dict[str, ExerciseState]:
        stored = self._read()
        return {exercise.number: self._state(exercise, stored) for exercise in self.course.exercises}

    def module_is_done(self, module: str, states: Mapping[str, ExerciseState]) -> bool:
        exercises = self.course.module(module)
        return bool(exercises) and all(states[exercise.number] == ExerciseState.PASSED for exercise in exercises)

    def next_exercise(self) -> Exercise | None:
        """The first exercise that is not done."""
        return next((e for e in self.course.exercises if self.state(e) != ExerciseState.PASSED), None)

    def checklist(self, states: Mapping[str, ExerciseState] | None = None) -> str:
        """STATUS.md: a box for each module and, under it, for each exercise; `states` saves finding them again."""
        states = self.states() if states is None else states
        lines = ["# Status", "", *STATUS_HEAD, ""]
        for module, title in MODULES.items():
            lines += self._module_lines(module, title, states)
        return "\n".join(lines) + "\n"

    def _module_lines(self, module: str, title: str, states: Mapping[str, ExerciseState]) -> list[str]:
        exercises = self.course.module(module)
        number = module_number(module)
        if not exercises:
            return [f"- [ ] **Module {number} · {title}** (no exercises yet)"]
        done = sum(states[exercise.number] == ExerciseState.PASSED for exercise in exercises)
        tick = "x" if done == len(exercises) else " "
        lines = [f"- [{tick}] **Module {number} · {title}** ({done} of {len(exercises)})"]
        for exercise in exercises:
            state = states[exercise.number]
            box = "x" if state == ExerciseState.PASSED else " "
            rest = "" if state == ExerciseState.NOT_STARTED else f": {state.word}"
            lines.append(f"    - [{box}] {exercise.number} {exercise.title}{rest}")
        return lines

    def _read(self) -> dict:
        """The stored exercises; a damaged store is set aside, and said so, once."""
        try:
            return _exercises(read_regular(self.path))
        except FileNotFoundError:
            return {}
        except _DAMAGE as error:
            self._set_aside(error)
            return {}
        except OSError as error:
            say(f"{self.path} cannot be read ({error.strerror}); continuing without it.")
            return {}

    def _set_aside(self, error: Exception) -> None:
        aside = self.path.with_name("progress.damaged.json")
        try:
            os.replace(self.path, aside)
            say(f"The stored status was damaged ({_reason(error)}); it is kept as {aside.name}. Run the checks again.")
        except OSError:
            say(f"The stored status is damaged ({_reason(error)}); run the checks again.")


_DAMAGE = (ValueError, KeyError, TypeError, AttributeError, TooLarge)


def _exercises(text: str) -> dict:
    """The exercises of a store's text; raises one of _DAMAGE."""
    stored = parsed(text)
    exercises = stored["exercises"]
    if stored["version"] != VERSION or not all(_is_entry(entry) for entry in exercises.values()):
        raise ValueError("not in this version's format")
    return exercises


def _is_entry(entry) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("key"), str) and isinstance(entry.get("checks"), dict)


def content_hash(exercise: Exercise) -> str:
    """A hash of the answer, the check and the card; "" where one of them cannot be read."""
    digest = hashlib.sha256()
    try:
        for path in (exercise.answer_path, exercise.check_path, exercise.card_path):
            digest.update(answers.read_bytes(path) + b"\0")
    except (OSError, answers.AnswerError):
        return ""
    return digest.hexdigest()


def is_started(exercise: Exercise) -> bool:
    """The learner has changed the stub in a way that Python can see."""
    try:
        answer = answers.read(exercise.answer_path).text
        return _has_begun(answer, read_regular(exercise.solution_path))
    except answers.AnswerError:
        return exercise.answer_path.exists()
    except answers.UNREADABLE:
        return True
    except (OSError, stubs.StubError):  # A solution that is half written has no stub yet.
        return False


@functools.lru_cache(maxsize=512)
def _has_begun(answer: str, solution: str) -> bool:
    stub = stubs.cut(solution)
    if answer == stub:
        return False
    still_open, total = stubs.open_todos(answer, stub)
    return len(still_open) < total


def _reason(error: Exception) -> str:
    """What the system says, without the name of the temporary file that the learner never sees."""
    return getattr(error, "strerror", None) or str(error)


def say(line: str) -> None:
    print(line, file=sys.stderr)
