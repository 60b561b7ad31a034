"""What an exercise asks and how long it takes: the lines that stand for one that is not started."""

from __future__ import annotations

import ast

from tunelings.course import CourseError, Exercise, shown_path
from tunelings.grading import stubs
from tunelings.writing import read_regular


def task_lines(exercise: Exercise) -> list[str]:
    """In plain text: the exercise in a sentence, the TODO of each function, the time it takes, and where to read."""
    return [
        *_asked(exercise),
        _effort(exercise),
        f"{shown_path(exercise.answer_path)} · tunelings hint {exercise.number}",
    ]


def _asked(exercise: Exercise) -> list[str]:
    try:
        stub = stubs.cut(read_regular(exercise.solution_path))
        summary = (ast.get_docstring(ast.parse(stub)) or "").partition("\n")[0]
        todos = stubs.todos(stub)
    except (OSError, ValueError, SyntaxError, stubs.StubError):  # A solution that is being written.
        return []
    sentence = summary.partition(": ")[2] or summary  # "1.05 · Training step: one batch moves the weights once."
    return [sentence[:1].upper() + sentence[1:], *(f"- {name}: {words}" for name, words in todos.items())]


def _effort(exercise: Exercise) -> str:
    try:
        card = exercise.head
    except CourseError as error:
        return str(error)
    effort = f"About {card.minutes} minutes, difficulty {card.difficulty} of 5"
    return f"{effort} · lesson {shown_path(exercise.lesson_path)}"
