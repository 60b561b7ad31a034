"""When a box is ticked, and when the tick is gone again."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.commandline import mark_done
from tests.support.miniature import Miniature
from tunelings.grading import store
from tunelings.grading.store import Progress, content_hash
from tunelings.writing import write_atomically


def state(mini: Miniature) -> str:
    return Progress(mini.course).state(mini.squares)


def stored(mini: Miniature) -> dict:
    return json.loads(Progress(mini.course).path.read_text(encoding="utf-8"))["exercises"]["1.01"]


@pytest.mark.parametrize("part", ["answer_path", "check_path", "card_path"])
def test_a_change_of_the_answer_the_check_or_the_card_takes_the_tick_away(mini, part):
    mark_done(mini)
    assert state(mini) == "passed"
    path: Path = getattr(mini.squares, part)
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "\n# changed\n", encoding="utf-8")
    assert state(mini) == "in progress"
    path.write_text(text, encoding="utf-8")
    assert state(mini) == "passed"


def test_a_run_with_another_seed_ticks_nothing(mini):
    mini.solve(mini.squares)
    assert mini.grade("checks/module01/test_ex01_squares.py", "--seed", "1").code == 0
    assert state(mini) == "in progress"
    assert mini.grade("checks/module01/test_ex01_squares.py").code == 0
    assert state(mini) == "passed"


def test_a_run_over_other_answers_leaves_the_learners_ticks(mini, tmp_path):
    mark_done(mini)
    others = tmp_path / "others" / "module01" / mini.squares.answer_path.name
    others.parent.mkdir(parents=True)
    others.write_text(
        mini.squares.solution_path.read_text(encoding="utf-8").replace("x * x", "x + x"), encoding="utf-8"
    )
    before = stored(mini)
    assert mini.grade("checks/module01/test_ex01_squares.py", "--answers", str(tmp_path / "others")).code == 1
    assert stored(mini) == before and state(mini) == "passed"


def test_all_checks_have_to_pass_for_a_tick(mini):
    mini.solve(mini.squares)
    *most, last = mini.squares.check_names()
    progress = Progress(mini.course)
    progress.record(mini.squares, content_hash(mini.squares), dict.fromkeys(most, "passed"))
    assert state(mini) == "in progress"
    progress.record(mini.squares, content_hash(mini.squares), {last: "failed"})
    assert state(mini) == "in progress"
    progress.record(mini.squares, content_hash(mini.squares), {last: "passed"})
    assert state(mini) == "passed"


def test_a_check_that_failed_is_kept_as_such(mini):
    mini.solve(mini.squares, ".mean()", ".sum()")
    assert mini.grade("checks/module01/test_ex01_squares.py").code == 1
    failed = {name for name, outcome in stored(mini)["checks"].items() if outcome == "failed"}
    assert failed == {"test_the_mean_is_a_plain_number"}


def test_what_passed_on_another_answer_does_not_count(mini):
    mini.solve(mini.squares)
    first, *others = mini.squares.check_names()
    progress = Progress(mini.course)
    progress.record(mini.squares, "the key of another answer", {first: "passed"})
    progress.record(mini.squares, content_hash(mini.squares), dict.fromkeys(others, "passed"))
    assert state(mini) == "in progress" and first not in stored(mini)["checks"]


def test_a_full_run_is_not_needed_for_a_tick(mini):
    check = mini.squares.check_path
    text = check.read_text(encoding="utf-8")
    text += "\n\n@pytest.mark.real\ndef test_with_real_data(answer):\n    pass\n"
    check.write_text("import pytest\n" + text, encoding="utf-8")
    assert "test_with_real_data" not in mini.squares.check_names()
    mark_done(mini)
    assert state(mini) == "passed"


def test_one_function_of_two_filled_in_is_a_beginning(mini):
    stub = mini.squares.answer_path.read_text(encoding="utf-8")
    assert state(mini) == "not started"
    begun = stub.replace('raise NotImplementedError("TODO")', "return x * x", 1)
    mini.squares.answer_path.write_text(begun, encoding="utf-8")
    assert state(mini) == "in progress"


def test_a_file_is_replaced_from_its_own_folder(tmp_path, monkeypatch):
    """A rename is atomic within one file system only."""
    moves = []
    real = os.replace
    monkeypatch.setattr(store.os, "replace", lambda *paths: (moves.append(paths), real(*paths)))
    write_atomically(tmp_path / "file", "one\n")
    ((source, target),) = moves
    assert Path(source).parent == Path(target).parent == tmp_path


def test_the_key_is_that_of_the_answer_that_was_checked(mini):
    """An answer that is saved anew while its checks run gets no tick for what the old one did."""
    mini.solve(mini.squares)
    checked = content_hash(mini.squares)
    check = mini.squares.check_path
    text = check.read_text(encoding="utf-8")
    saves = f"    from pathlib import Path\n    Path({str(mini.squares.answer_path)!r}).write_text('x = 1')\n"
    check.write_text(text + f"\n\ndef test_the_learner_saves_meanwhile(answer):\n{saves}", encoding="utf-8")
    checked = content_hash(mini.squares)
    mini.grade("checks/module01/test_ex01_squares.py")
    assert content_hash(mini.squares) != checked
    assert stored(mini)["key"] == checked and state(mini) == "in progress"
