"""A card is read with its types, and a malformed one is one line that names the file and the field."""

from __future__ import annotations

import pytest

from tests.support.systems import POSIX
from tunelings.cards import CourseError, read_card

CARD = """title = "Squares"
lesson = "squares"
minutes = 5
difficulty = 1
learnt = "Squares."
hints = ["one", "two"]

[[mistakes]]
id = "halved"
says = "half of it comes out."
breaks = "the shape stays"
forms = [[{ old = "a", new = "b" }]]

[[mistakes]]
id = "doubled"
says = "twice as much comes out."
breaks = ["one", "two"]
forms = [[{ old = "a", new = "c" }]]
"""


@pytest.fixture
def read(tmp_path):
    def of(text: str):
        path = tmp_path / "card.toml"
        path.write_text(text, encoding="utf-8")
        return read_card(path)

    return of


def test_a_card_is_read_whole(read):
    card = read(CARD)
    assert (card.title, card.minutes, card.hints) == ("Squares", 5, ("one", "two"))
    assert [mistake.breaks for mistake in card.mistakes] == [("the shape stays",), ("one", "two")]
    assert card.mistakes[0].forms == ((("a", "b"),),)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("minutes = 5", "minutes = true", "`minutes` is True"),
        ("minutes = 5", 'minutes = "5"', "`minutes` is '5'"),
        ("minutes = 5\n", "", "the field 'minutes' is missing"),
        ('hints = ["one", "two"]', "hints = []", "`hints` is empty"),
        ('hints = ["one", "two"]', "hints = [1]", "a hint is 1"),
        ('breaks = "the shape stays"', "breaks = 3", "`breaks` is 3"),
        ('breaks = "the shape stays"', "breaks = [3]", "a quote of `breaks` is 3"),
        ('old = "a", new = "b"', "old = 7, new = 8", "`old` is 7"),
        ('title = "Squares"', "title = ", "can't be read as a card"),
    ],
)
def test_a_malformed_card_is_one_line(read, old, new, said):
    assert CARD.count(old) == 1
    with pytest.raises(CourseError) as error:
        read(CARD.replace(old, new))
    assert said in str(error.value) and "card.toml" in str(error.value) and "\n" not in str(error.value)


@POSIX  # Elsewhere such a file would take its room on the disk.
def test_a_card_of_terabytes_is_one_line(tmp_path):
    path = tmp_path / "card.toml"
    with path.open("w") as file:
        file.truncate(10**13)
    with pytest.raises(CourseError, match=r"card.toml can't be read as a card: the file is larger than 16 MiB\."):
        read_card(path)
