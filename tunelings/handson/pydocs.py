"""The Python 3.11 documentation as a task: passages to search, questions with short answers, pairs to learn from.

Three parts for three uses, and none for two. The FAQ pairs are for training. The development questions are for
choosing a prompt and for training what answers questions. The test questions are for the number that is reported.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from tunelings.course import shipped

WORDS_GRADED = 30  # What stands later in an answer does not count: a whole page would always be right.


class Passage(NamedTuple):
    id: str
    page: str
    title: str
    text: str


class Question(NamedTuple):
    """Any of `answers` is right; `gold_passages` are the ids of passages that hold one, not all of them."""

    id: str
    question: str
    answers: list[str]
    gold_passages: list[str]


class FaqEntry(NamedTuple):
    """A question of the FAQ with its whole answer: prose, often with code."""

    id: str
    page: str
    section: str
    question: str
    answer: str


# ---------------------------------------------------------------- the files
def load_passages(folder: str | Path) -> list[Passage]:
    """The 1,243 passages of `folder`/passages.jsonl.gz, in the order of the pages."""
    return [Passage(**row) for row in _rows(Path(folder, "passages.jsonl.gz"))]


def load_pairs(folder: str | Path) -> list[FaqEntry]:
    """The 175 pairs of `folder`/faq_qa.jsonl."""
    return [FaqEntry(**row) for row in _rows(Path(folder, "faq_qa.jsonl"))]


def load_development(folder: str | Path) -> list[Question]:
    """The 37 questions of `folder`/rag_questions.jsonl: for choices, and for training."""
    return [Question(**row) for row in _rows(Path(folder, "rag_questions.jsonl"))]


def load_test(folder: str | Path) -> list[Question]:
    """The questions of `folder`/test_questions.jsonl, of the same kind: for the number that is reported."""
    return [Question(**row) for row in _rows(Path(folder, "test_questions.jsonl"))]


def _rows(path: Path) -> list[dict]:
    shipped(path, "documentation")
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8")
    with opened as file:
        return [json.loads(line) for line in file]


# ---------------------------------------------------------------- right or wrong
def holds(text: str, answers: Iterable[str]) -> bool:
    """Whether one of the answers stands in the text: whole words, case kept ("1.25%" is no "1.25x")."""
    return any(re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", text) for answer in answers)


def grade(prediction: str, answers: Sequence[str], words: int = WORDS_GRADED) -> float:
    """1.0 if the first `words` words of the prediction hold one of the answers, else 0.0."""
    return float(holds(" ".join(prediction.split()[:words]), answers))


def without_answers(pairs: Sequence[FaqEntry], questions: Sequence[Question]) -> list[FaqEntry]:
    """The pairs that hold the answer of none of the questions: what may be learned before a test with them."""
    answers = [answer for question in questions for answer in question.answers]
    return [pair for pair in pairs if not holds(f"{pair.question}\n{pair.answer}", answers)]
