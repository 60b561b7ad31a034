"""What a gate cannot look at is one clear line, and not a traceback in each test of the exercise."""

from __future__ import annotations

import pytest

from tests import test_exercises as gates
from tests.support.gates import ends_the_sentence, known_vectors, lesson_of, misplaced_edits


@pytest.mark.parametrize(
    ("says", "fits"),
    [
        ("the loss is summed over the batch.", True),
        ("SGD is used in place of AdamW.", True),
        ("the loss is summed over the batch", False),
        ("AdamW decays the biases too", False),
        ("The loss is summed over the batch.", False),
        ("", False),
    ],
)
def test_what_a_mistake_says_ends_a_sentence_that_has_begun(says: str, fits: bool):
    assert ends_the_sentence(says) == fits


@pytest.mark.parametrize(("old", "times"), [("x ** 2", 0), ("squares", 4)])
def test_an_edit_that_does_not_fit_is_found_and_ends_what_needs_it_in_one_line(mini, old: str, times: int):
    assert misplaced_edits(mini.squares) == []
    card = mini.squares.card_path.read_text(encoding="utf-8")
    mini.squares.card_path.write_text(card.replace('old = ".mean()"', f'old = "{old}"'), encoding="utf-8")
    assert misplaced_edits(mini.squares) == [f"summed: {old!r} stands {times} times in the solution, not once."]
    with pytest.raises(pytest.fail.Exception, match=r"^Not run: see test_every_edit_fits_the_solution\.$") as raised:
        known_vectors(mini.squares, 0)
    assert not raised.value.pytrace


def test_a_lesson_that_is_missing_ends_what_needs_it_in_one_line(mini):
    assert lesson_of(mini.squares) == "# Squares\n"
    mini.squares.lesson_path.unlink()
    with pytest.raises(pytest.fail.Exception, match=r"^Not run: see test_the_lesson_exists\.$") as raised:
        lesson_of(mini.squares)
    assert not raised.value.pytrace


def test_the_tests_that_those_lines_name_are_there():
    assert callable(gates.test_every_edit_fits_the_solution) and callable(gates.test_the_lesson_exists)
