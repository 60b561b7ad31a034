"""The questions at the end of a module: docs/quizzes/module03.toml, for the site and for `tunelings quiz 3`.

[[questions]]
asks = "The loss is nan from the first step on. What do you look at first?"

[[questions.choices]]
says = "The learning rate."
right = false
why = "A rate that is too high takes some steps to get there."
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from tunelings.course import CourseError

LETTERS = "abcdef"


@dataclass(frozen=True)
class Choice:
    """One answer that can be chosen; `why` says why it is right, or why it tempts and is not."""

    says: str
    right: bool
    why: str


@dataclass(frozen=True)
class QuizQuestion:
    """A question with exactly one right choice."""

    asks: str
    choices: tuple[Choice, ...]


def path_of(root: Path, module: str) -> Path:
    return root / "docs" / "quizzes" / f"{module}.toml"


def load(path: Path) -> list[QuizQuestion]:
    """The questions of one file; a missing or malformed one is a CourseError that names it."""
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))["questions"]
        questions = [QuizQuestion(e["asks"], tuple(Choice(**choice) for choice in e["choices"])) for e in entries]
    except FileNotFoundError:
        raise CourseError(f"{path} is missing: this module has no quiz.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise CourseError(f"{path} can't be read as a quiz: {error}.") from None
    for number, question in enumerate(questions, start=1):
        if sum(choice.right for choice in question.choices) != 1:
            raise CourseError(f"{path}: question {number} must have exactly one right choice.")
    return questions
