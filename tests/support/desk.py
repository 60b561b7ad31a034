"""A loop to which things happen one by one, without a terminal, a thread or a worker: the fixture `desk`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.miniature import Miniature
from tunelings.course import Course, Exercise
from tunelings.grading.states import CheckState, ExerciseState
from tunelings.grading.verdict import Failure, Verdict
from tunelings.watch import events
from tunelings.watch.loop import Watcher
from tunelings.watch.pool import Happening, Pool


def verdict(number: str, state: ExerciseState = ExerciseState.PASSED) -> Verdict:
    return Verdict(number, "Title", "docs/", "a.py", state, {"test_one": CheckState.PASSED})


def not_started(number: str) -> Verdict:
    failure = Failure("test_one", CheckState.NOT_STARTED)
    return Verdict(number, "Title", "docs/", "a.py", ExerciseState.NOT_STARTED, failure=failure)


class IdlePool(Pool):
    """A pool that writes down what it is asked for."""

    def __init__(self, course: Course):
        super().__init__(course)
        self.asked: list[list[str]] = []
        self.prepared: list[str] = []
        self.restarts = 0

    def request(self, exercises: list[Exercise], seed: int = 0) -> None:
        self.asked.append([exercise.number for exercise in exercises])

    def prepare(self, exercise: Exercise) -> None:
        self.prepared.append(exercise.number)

    def restart(self) -> None:
        self.restarts += 1


class Desk:
    """A loop to which things happen one by one."""

    def __init__(self, mini: Miniature, selection: str = "all"):
        self.pool = IdlePool(mini.course)
        self.watcher = Watcher(mini.course, mini.squares, selection, self.pool)
        self.view = self.watcher.session.view
        self.view.interactive = True

    def happen(self, happening: Happening) -> None:
        self.pool.inbox.put(happening)
        self.watcher.handle_next()

    def press(self, *keys: str) -> str:
        """Press keys, and return the number of the exercise that is shown then."""
        for key in keys:
            self.happen(events.KeyPressed(key))
        return self.view.exercise.number

    def save(self, *paths: Path) -> None:
        self.happen(events.FilesChanged(frozenset(paths)))

    def delete(self, path: Path) -> None:
        path.unlink()
        self.save(path)


@pytest.fixture
def desk(mini: Miniature) -> Desk:
    return Desk(mini)


def add(mini: Miniature, number: str, module: str = "module01") -> list[Path]:
    """A copy of 1.02 as another exercise; returns its files."""
    copies = []
    for path in (mini.shift.solution_path, mini.shift.check_path, mini.shift.card_path, mini.shift.answer_path):
        copy = Path(str(path).replace("module01", module).replace("ex02_shift", f"ex{number}_other"))
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
        copies.append(copy)
    return copies
