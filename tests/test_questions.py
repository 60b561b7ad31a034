"""A quiz is read whole; a malformed one is one line that names the file."""

from __future__ import annotations

import pytest

from tunelings import questions
from tunelings.course import CourseError

ONE = """[[questions]]
asks = "What clears gradients?"
choices = [
    { says = "zero_grad", right = true, why = "It does." },
    { says = "step", right = false, why = "It moves." },
]
"""


def test_a_quiz_is_read(tmp_path):
    path = tmp_path / "quiz.toml"
    path.write_text(ONE, encoding="utf-8")
    (question,) = questions.load(path)
    assert [choice.right for choice in question.choices] == [True, False]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("right = false", "right = true", "question 1 must have exactly one right choice"),
        ("right = true", "right = false", "question 1 must have exactly one right choice"),
        ("asks = ", "ask = ", "can't be read as a quiz"),
        ("[[questions]]", "[[questions", "can't be read as a quiz"),
    ],
)
def test_a_malformed_quiz_is_one_line(tmp_path, old, new, said):
    path = tmp_path / "quiz.toml"
    path.write_text(ONE.replace(old, new), encoding="utf-8")
    with pytest.raises(CourseError, match=said) as error:
        questions.load(path)
    assert "quiz.toml" in str(error.value) and "\n" not in str(error.value)


def test_a_missing_quiz_is_one_line(tmp_path):
    with pytest.raises(CourseError, match="this module has no quiz"):
        questions.load(tmp_path / "quiz.toml")
