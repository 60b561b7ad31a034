"""The documentation of 5.09: the questions can be answered, the parts are apart, and whole words are graded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tunelings.handson import pydocs
from tunelings.handson.pydocs import FaqEntry, Question, grade, holds
from tunelings.handson.search import BM25, stretch

DATA = ROOT / "data" / "pydocs"
PASSAGES = {passage.id: passage for passage in pydocs.load_passages(DATA)}
DEVELOPMENT = pydocs.load_development(DATA)
TEST = pydocs.load_test(DATA)
PAIRS = pydocs.load_pairs(DATA)


def test_everything_is_there_once():
    assert len(PASSAGES) == 1_243 and len(PAIRS) == 175
    assert len(DEVELOPMENT) == 37 and len(TEST) == 157
    asked = [question.question for question in DEVELOPMENT + TEST]
    assert len(set(asked)) == len({question.id for question in DEVELOPMENT + TEST}) == len(asked)


def test_each_gold_passage_holds_an_answer_and_no_question_does():
    questions = DEVELOPMENT + TEST
    assert all(1 <= len(question.gold_passages) <= 8 for question in questions)
    lacking = [(q.id, gold) for q in questions for gold in q.gold_passages if not holds(PASSAGES[gold].text, q.answers)]
    assert lacking == [] and [q.id for q in questions if holds(q.question, q.answers)] == []


def test_no_answer_of_the_test_is_one_of_development():
    known = {answer for question in DEVELOPMENT for answer in question.answers}
    assert not known & {answer for question in TEST for answer in question.answers}


def test_what_is_left_for_training_holds_no_answer_of_the_test():
    left = pydocs.without_answers(PAIRS, TEST)
    assert 100 < len(left) < len(PAIRS)
    assert not any(holds(pair.question + "\n" + pair.answer, q.answers) for pair in left for q in TEST)
    pairs = [FaqEntry("a", "p", "s", "Who was it?", "Guido did."), FaqEntry("b", "p", "s", "Why?", "Because.")]
    assert pydocs.without_answers(pairs, [Question("q", "Who?", ["Guido"], [])]) == pairs[1:]


def test_whole_words_are_graded_with_their_case():
    assert grade("It was 1.25x faster.", ["1.25x"]) == 1.0
    assert grade("It was 1.25% faster.", ["1.25x"]) == 0.0
    assert grade("Use itertools.chain(a, b).", ["chain"]) == 1.0
    assert grade("Use chained calls.", ["chain"]) == 0.0
    assert grade("the -P option", ["-P"]) == 1.0 and grade("the -p option", ["-P"]) == 0.0
    assert grade("", ["chain"]) == 0.0


def test_only_the_first_words_are_graded():
    assert grade("word " * 29 + "chain", ["chain"]) == 1.0
    assert grade("word " * 30 + "chain", ["chain"]) == 0.0
    assert grade("one two three", ["three"], words=2) == 0.0


@pytest.mark.parametrize("load", [pydocs.load_passages, pydocs.load_pairs, pydocs.load_development, pydocs.load_test])
def test_a_missing_file_is_one_clear_line(load, tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"^.*\.jsonl(\.gz)? is missing \(`git checkout data`.*\)$"):
        load(tmp_path)


def test_rare_words_decide_what_is_found():
    texts = ["the cat and the dog", "the heap and the queue", "the dog and the bone and the dog"]
    index = BM25(texts)
    assert index.best("the dog", 2) == [2, 0] and index.best("a queue?", 1) == [1]
    assert index.scores("nothing of it")[0] == 0.0


def test_a_stretch_is_the_part_of_a_text_that_fits_the_question():
    text = "zero " * 40 + "the heap queue sorts " + "zero " * 40
    assert "heap queue" in stretch("what sorts a heap queue?", text, 12)
    assert len(stretch("what?", text, 12).split()) == 12
    assert stretch("what?", "short text", 12) == "short text"
