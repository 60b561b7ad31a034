"""A contract is taken apart into its sentences, and each quote finds the one that it breaks."""

from __future__ import annotations

import pytest

from tunelings import pages
from tunelings.grading import promises

SOURCE = '''
"""9.01 · A title: with a colon."""


def mean(values: list[float], n: int) -> float:
    """Return the mean. Nothing is changed.

    Args:
        values: at least
            1. They are floats.
        n: how many count; see `f.g`. More than 0.

    Returns:
        A float, which

        - is finite,
        - is "nan" for
          no values.

        1. One.
        2. Two.

    >>> mean([1.0], 1)
    1.0

    Raises:
        ValueError: for none.
    """


class Config:
    """Settings."""

    def check(self):
        """Nothing. Raises: never."""
'''


def test_sentences_items_entries_and_examples_are_promises():
    assert [str(promise) for promise in promises.promises_in(SOURCE)] == [
        "9.01 · A title: with a colon.",
        "mean: Return the mean.",
        "mean: Nothing is changed.",
        "mean: values: at least 1.",
        "mean: They are floats.",
        "mean: n: how many count; see `f.g`.",
        "mean: More than 0.",
        "mean: A float, which",
        "mean: is finite,",
        'mean: is "nan" for no values.',
        "mean: One.",
        "mean: Two.",
        "mean: >>> mean([1.0], 1) 1.0",
        "mean: ValueError: for none.",
        "Config: Settings.",
        "Config.check: Nothing.",
        "Config.check: Raises: never.",
    ]


FLOAT = "mean_square: The mean of the squares, as a Python float."


@pytest.fixture
def written(mini):
    """Write what holds the promises of 1.01 of the small course, and read its contract."""
    folder = mini.root / "tests" / "answers" / "wrong" / mini.squares.module / mini.squares.name
    folder.mkdir(parents=True)

    def write(head: str, reasons: str = "") -> promises.Contract:
        (folder / "one.py").write_text(f"# names: unlisted\n{head}\nx = 1\n", encoding="utf-8")
        (mini.root / "tests" / "promises.toml").write_text(reasons, encoding="utf-8")
        return promises.contract(mini.squares)

    return write


def test_a_quote_holds_the_sentence_it_stands_in(written):
    found = written('# breaks: "a Python float"')
    assert not found.problems
    assert {str(promise): promise.broken_by for promise in found.promises} == {
        "1.01 · Squares: every number times itself.": [],
        "squares: Each number of x times itself; the shape stays.": [],
        FLOAT: ["one.py"],
    }
    assert [promise.is_open for promise in found.promises] == [True, True, False]


def test_a_wrong_answer_without_a_quote_is_a_problem(written):
    assert written("").problems == ['one.py says nowhere what it breaks: add # breaks: "words of the docstring"']


@pytest.mark.parametrize(("words", "where"), [("words that nobody wrote", "in no sentence"), ("quares", "in 3")])
def test_a_quote_that_stands_in_no_sentence_or_in_several_is_a_problem(written, words, where):
    (problem,) = written(f'# breaks: "{words}"').problems
    assert problem.startswith(f"one.py quotes what stands {where}") and repr(words) in problem


def test_a_sentence_with_a_reason_is_not_counted_and_may_not_be_broken(written):
    reasons = f'["1.01"]\n"{FLOAT}" = "a definition"\n"1.01 · Squares" = "the title"\n'
    found = written('# breaks: "the shape stays"', reasons)
    assert not found.problems and [promise.is_open for promise in found.promises] == [False] * 3
    assert [promise.text for promise in found.counted] == ["Each number of x times itself; the shape stays."]
    (problem,) = written('# breaks: "a Python float"', reasons).problems
    assert problem == f"tests/promises.toml excuses what one.py breaks: {FLOAT!r}"


def test_a_mistake_on_the_card_may_hold_a_promise(written, mini):
    card = mini.squares.card_path
    text = card.read_text(encoding="utf-8")
    card.write_text(text.replace("[[mistakes]]\n", '[[mistakes]]\nbreaks = "the shape stays"\n', 1), encoding="utf-8")
    found = written('# breaks: "a Python float"')
    assert [len(promise.broken_by) for promise in found.promises] == [0, 1, 1]


def test_dev_promises_lists_what_is_open_and_fails_for_it(written, tunelings):
    written('# breaks: "a Python float"')
    said = tunelings("dev", "promises", "1.01")
    assert said.code == 1 and "1.01 Squares: 1 of 3 promises are held" in said.out
    assert f"✓ {FLOAT}\n      one.py" in said.out
    assert "✗ squares: Each number of x times itself; the shape stays.\n      open" in said.out
    written('# breaks: "a Python float"\n# breaks: "the shape stays"', '["1.01"]\n"1.01 · Squares" = "the title"\n')
    assert tunelings("dev", "promises", "1.01").code == 0


def test_the_page_counts_what_is_held_and_what_is_promised(written, mini):
    written('# breaks: "a Python float"')
    promised = sum(len(promises.contract(exercise).counted) for exercise in mini.course.exercises)
    last = pages.promises_held(mini.course).splitlines()[-1]
    assert promised > 1 and last == f"| **all** | 1 | {promised} |"
