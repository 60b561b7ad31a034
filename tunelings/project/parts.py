"""Whose code runs: each part of a project is an exercise's answer, the learner's own where its checks have passed.

An answer counts as done by the same rule as everywhere in the course: its checks are recorded as passed for the file
as it is now. Else the reference stands in for it, and the screen and the report say so.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunelings.course import Course, Exercise, shown_path
from tunelings.grading import answers
from tunelings.grading.states import ExerciseState
from tunelings.grading.store import Progress
from tunelings.project import folder as files
from tunelings.project.errors import PartError, ProjectError

# What each part does, in the words of the report.
PARTS = {
    "1.07": "gradient accumulation",
    "1.09": "checkpoints",
    "2.05": "learning rate schedule",
    "2.06": "early stopping",
    "2.07": "classification head",
    "2.08": "predicted labels",
    "3.02": "memory of training",
    "3.03": "LoRA adapters",
    "3.05": "QLoRA",
    "3.06": "merging",
    "3.08": "labels and loss",
    "3.09": "answers in batches",
    "3.12": "the whole training",
    "4.01": "formats",
    "4.03": "quality",
    "4.04": "duplicates",
    "4.06": "splits",
    "4.09": "leaks into the test",
    "4.10": "the whole preparation",
    "5.01": "scores",
    "5.03": "few-shot prompts",
    "5.05": "retrieval",
    "5.06": "intervals",
    "5.07": "judging pairs",
    "5.08": "memory on a GPU, and the technique",
}
Used = dict[str, dict[str, Any]]


@dataclass
class Choice:
    """The file that runs as a part."""

    exercise: Exercise
    is_mine: bool

    @property
    def path(self):
        return self.exercise.answer_path if self.is_mine else self.exercise.solution_path

    @property
    def name(self) -> str:
        return f"{'your' if self.is_mine else 'the reference of'} {self.exercise.number} {self.exercise.title}"


class Parts:
    """The parts of a step: `parts["4.04"]` is the module of an answer, loaded when it is first asked for."""

    def __init__(self, course: Course, *, mine: bool = False):
        """`mine` refuses every reference: a part whose exercise is not done is then a ProjectError."""
        self.course, self.only_mine = course, mine
        self.progress = Progress(course)
        self.modules: dict[str, Any] = {}
        self.choices: dict[str, Choice] = {}
        self.hashes: dict[str, str] = {}
        self.now: str | None = None
        self.before: Used = {}
        self.record: Path | None = None

    def keep_record(self, path: Path) -> None:
        """Write down each part that runs, and count those of the run that was killed here."""
        self.record, self.before = path, json.loads(files.read_text(path) or "{}")

    def choice(self, number: str) -> Choice:
        if number not in self.choices:
            exercise = self.course.find(number)
            is_mine = self.progress.state(exercise) == ExerciseState.PASSED
            if self.only_mine and not is_mine:
                raise ProjectError(
                    f"--mine: {number} {exercise.title} is not done yet; `tunelings run {number}` checks it."
                )
            self.choices[number] = Choice(exercise, is_mine)
        return self.choices[number]

    def __getitem__(self, number: str) -> Any:
        if number not in self.modules:
            choice = self.choice(number)
            source = answers.read(choice.path)
            self.hashes[number] = hashlib.sha256(source.text.encode()).hexdigest()[:16]
            try:
                self.modules[number] = answers.load(source)
            except answers.AnswerError as error:
                raise PartError(f"{choice.name} does not load: {error}") from None
            if self.record:
                files.write(self.record, json.dumps(self.used))
        return self.modules[number]

    @contextlib.contextmanager
    def using(self, number: str) -> Iterator[Any]:
        """Within, an error of our own code is put down to what this part has returned."""
        before, self.now = self.now, number
        yield self[number]
        self.now = before  # Not after an error: `blame` reads it.

    @property
    def used(self) -> Used:
        """What has run so far, for the step's result."""
        now = {
            number: {"mine": self.choices[number].is_mine, "sha256": self.hashes[number], "does": PARTS[number]}
            for number in self.modules
        }
        return dict(sorted((self.before | now).items()))

    def blame(self, error: BaseException) -> PartError | None:
        """The error of a part, by the innermost line of its file in the traceback; None where no part is in it."""
        files = {str(self.choices[number].path): self.choices[number] for number in self.modules}
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"[:400]
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if choice := files.get(frame.filename):
                return PartError(f"{choice.name} ({shown_path(choice.path)}, line {frame.lineno}) raises {said}")
        if self.now is not None:
            choice = self.choices[self.now]
            return PartError(f"What {choice.name} ({shown_path(choice.path)}) returns can't be used: {said}")
        return None


def counted(used: Used) -> str:
    """ "your code: 11 of 15 parts"."""
    return f"your code: {sum(part['mine'] for part in used.values())} of {len(used)} parts"
