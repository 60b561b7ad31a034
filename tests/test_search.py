"""The index of 5.09 is BM25 on the real passages and questions, and finds what the published figures say."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from tests.conftest import COURSE, ROOT
from tunelings import loading
from tunelings.handson import pydocs
from tunelings.handson.search import BM25, Snippet

DATA = ROOT / "data" / "pydocs"
PASSAGES = pydocs.load_passages(DATA)
TEST = pydocs.load_test(DATA)
QUESTIONS = [question.question for question in [*pydocs.load_development(DATA), *TEST]]
TEXTS = [f"{passage.title}\n{passage.text}" for passage in PASSAGES]
RESULTS = json.loads((ROOT / "figures" / "results" / "module05_compare_approaches.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def index() -> BM25:
    return BM25(TEXTS)


def scores_by_matrix(k1: float = 1.5, b: float = 0.75) -> np.ndarray:
    """Of each question (row) and passage (column), from scikit-learn's counts of words."""
    vectorizer = CountVectorizer(token_pattern=r"\w+")
    tf = vectorizer.fit_transform(TEXTS).toarray().astype(float)
    asked = vectorizer.transform(QUESTIONS).toarray().astype(float)
    df, lengths = (tf > 0).sum(axis=0), tf.sum(axis=1, keepdims=True)
    idf = np.log(1 + (len(TEXTS) - df + 0.5) / (df + 0.5))
    return asked @ (idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * lengths / lengths.mean()))).T


def test_scores_and_rankings_are_those_of_the_formula_on_all_questions(index):
    for question, expected in zip(QUESTIONS, scores_by_matrix(), strict=True):
        scores = np.array(index.scores(question))
        np.testing.assert_allclose(scores, expected, rtol=1e-12, atol=1e-12)
        ranking = index.best(question, len(TEXTS))
        assert ranking == np.argsort(-scores, kind="stable").tolist()  # Of equal ones the first comes first.
        assert np.diff(expected[ranking]).max() < 1e-9


def test_the_index_gives_the_scores_of_the_reference_to_the_last_bit(index):
    """Rankings with near ties are the same only then."""
    reference = loading.reference("5.05")
    assert reference.__file__ == str(COURSE.find("5.05").solution_path)
    for question in QUESTIONS[::20]:
        assert index.scores(question) == reference.bm25_scores(question, TEXTS)


def test_as_many_answers_are_found_as_the_figures_of_5_09_say(index):
    best = [[PASSAGES[number].text for number in index.best(question.question, 5)] for question in TEST]
    found = {
        k: sum(any(pydocs.holds(t, q.answers) for t in texts[: int(k)]) for texts, q in zip(best, TEST, strict=True))
        for k in RESULTS["passage_found"]
    }
    assert found == RESULTS["passage_found"]


def test_the_snippets_are_right_as_often_as_the_figures_of_5_09_say():
    snippet = Snippet("BM25 snippet", PASSAGES, BM25)
    snippet.setup()
    said = [snippet.answer(question.question) for question in TEST]
    (row,) = (row for row in RESULTS["rows"] if row["name"] == snippet.name)
    assert sum(pydocs.grade(text, q.answers) for text, q in zip(said, TEST, strict=True)) == row["right"]
    shown = RESULTS["first_answers"][snippet.name]
    assert [text[: len(begin)] for text, begin in zip(said, shown, strict=False)] == shown
