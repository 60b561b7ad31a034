"""What the site shows of an exercise, piece by piece; `test_site.py` looks at the whole."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.miniature import Miniature
from tunelings import pages
from tunelings.course import CourseError
from tunelings.questions import Choice, QuizQuestion

SOLUTION = '''"""1.01 · Squares: every number times itself."""


class Square:
    """A square and its side."""


def squares(x: float, *, twice: bool = False) -> float:
    """Each number of x times itself."""
    # BEGIN SOLUTION: multiply.
    return x * x
    # END SOLUTION


def _helper():
    """Nobody's business."""


def main() -> None:
    """Run it."""


def bare():
    pass
'''


def test_an_exercise_shows_its_contract_its_commands_and_the_reference_without_marks(mini: Miniature):
    mini.squares.solution_path.write_text(SOLUTION, encoding="utf-8")
    text = pages.exercise_block(mini.squares)
    assert text.startswith(
        '**1.01 Squares** <span class="state" data-exercise="1.01"></span><br>`exercises/module01/ex01_squares.py`<br>'
        "5 minutes, difficulty 1 of 5\n"
    )
    contracts = text.partition("tunelings watch 1.01")[0]
    assert "```python\ndef squares(x: float, *, twice: bool = False) -> float:\n```" in contracts
    assert "class Square:\n" in contracts
    assert all(word not in contracts for word in ("_helper", "main", "bare"))
    assert "pytest checks/module01/test_ex01_squares.py" in text and "tunelings hint 1.01" in text
    reference = text.partition("??? note")[2]
    assert "\n    ```python\n" in reference and "    \n" not in reference
    assert "        return x * x\n" in reference and "SOLUTION" not in reference


def test_a_mistake_is_one_row_whatever_its_words_are(mini: Miniature):
    card = mini.squares.card_path.read_text(encoding="utf-8")
    card = card.replace("the sign of each number is kept.", "a | b, <i> or `<i>` is\\nkept.")
    mini.squares.card_path.write_text(card, encoding="utf-8")
    rows = pages.mistakes_table(mini.squares).splitlines()
    number = len(mini.squares.card.mistakes)
    assert rows[0] == f'??? bug "{number} known mistakes, for when yours fails"'
    assert rows[2:4] == ["    | mistake | what gives the same result |", "    |---|---|"] and len(rows) == 4 + number
    assert "    | `sign-kept` | a \\| b, &lt;i> or `<i>` is kept. |" in rows


def test_a_module_lists_what_its_exercises_teach(mini: Miniature):
    rows = pages.exercise_table(mini.course, "module01").splitlines()
    dots = '<span title="1 of 5">●○○○○</span>'
    assert rows[2] == f"| [1.01 Squares](squares.md) | A number times itself is never negative. | 5 min<br>{dots} |"
    assert len(rows) == 4


HOME = """
[modules]
module01 = "Squares."
module02 = ""
module03 = ""
module04 = ""
module05 = ""

[[routes]]
title = "Only squares"
about = "At once."
exercises = ["1.02", "1.01"]
"""


def test_the_home_page_adds_up_what_the_cards_say(mini: Miniature, tmp_path: Path):
    path = tmp_path / "home.toml"
    path.write_text(HOME, encoding="utf-8")
    cards = pages.module_cards(mini.course, path)
    assert "### [1 · Training fundamentals](module01/index.md)\n\n    Squares.\n\n    **0 hours**" in cards
    assert '??? abstract "2 exercises"' in cards and "        - [1.02 Shift](module01/shift.md)" in cards
    assert '[1.02](module01/shift.md "Shift") · [1.01](module01/squares.md "Squares")' in pages.routes(
        mini.course, path
    )
    assert pages.cost(mini.course).startswith("**2 exercises, about 0 hours** (5 to 5 minutes each")


def test_a_route_to_an_exercise_that_is_not_there_is_an_error(mini: Miniature, tmp_path: Path):
    path = tmp_path / "home.toml"
    path.write_text(HOME.replace("1.02", "7.77"), encoding="utf-8")
    with pytest.raises(CourseError, match=r"7\.77"):
        pages.routes(mini.course, path)


def test_the_checklist_has_a_mark_for_each_exercise_and_a_count_for_each_module(mini: Miniature):
    text = pages.checklist(mini.course)
    assert '<span data-done="module01">0</span> of 2 done' in text and "of 0 done" in text
    assert '- <span data-exercise="1.02">☐ TODO</span> [1.02 Shift](module01/shift.md)' in text
    assert text.count("data-exercise=") == 2


def test_a_question_shows_each_reason_beside_its_choice():
    choices = (Choice("a < b", False, "It tempts."), Choice("b", True, "It <holds>."))
    text = pages.question_html(3, QuizQuestion("Is 1 < 2?", choices))
    assert "<legend>3. Is 1 &lt; 2?</legend>" in text
    first, second = re.split(r'<div class="choice (?:wrong|right)">', text)[1:]
    assert 'name="q3" id="q3a" aria-describedby="q3a-why"' in first and '<label for="q3a">a &lt; b</label>' in first
    assert '<p class="why" id="q3a-why"><strong>✗ No.</strong> It tempts.</p>' in first
    assert 'id="q3b"' in second and "<strong>✓ Right.</strong> It &lt;holds&gt;." in second


def test_the_glossary_is_sorted_and_its_case_does_not_count(tmp_path: Path):
    path = tmp_path / "glossary.toml"
    path.write_text('LoRA = "an adapter"\nAdamW = "an optimizer"\nbatch = "examples"\n', encoding="utf-8")
    assert pages.glossary(path) == "AdamW\n:   an optimizer\n\nbatch\n:   examples\n\nLoRA\n:   an adapter"
    assert pages.tooltips(path).splitlines()[0] == "*[LoRA]: an adapter"


def test_a_run_of_the_hardware_table_has_its_parts_and_its_total():
    parts = {"weights": 13.04, "total": 16.25}
    text = pages.hardware_table([SimpleNamespace(name="7B", about="LoRA", parts=parts)], {"A card": 15.5})
    assert '<option value="15.50">A card</option>' in text
    assert "| run | weights | total | fits |" in text
    assert '| **7B**<br>LoRA | 13.0 | 16.2 | <span data-gib="16.25"></span> |' in text


@pytest.mark.parametrize(("technique", "shown"), [("lora", "`finetune, lora`"), ("", "`finetune`")])
def test_a_scenario_is_one_row(tmp_path: Path, technique: str, shown: str):
    path = tmp_path / "scenarios.toml"
    fields = {
        "story": "A | task",
        "gpu_gib": 16,
        "approach": "finetune",
        "technique": technique,
        "why": "w",
        "source": "s",
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in fields.items()]
    path.write_text("[[scenarios]]\n" + "\n".join(lines), encoding="utf-8")
    assert pages.scenarios(path).splitlines()[2:] == [f"| A \\| task | 16 GiB | {shown} | w | s |"]
