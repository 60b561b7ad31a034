"""What the loop does where a file, an editor or the loop itself is damaged: it says so in one sentence, and goes on."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest

from tests.support.desk import Desk, add, verdict
from tests.support.miniature import Miniature
from tests.support.systems import POSIX
from tunelings.course import CourseError
from tunelings.desk import screen
from tunelings.grading.states import CheckState
from tunelings.grading.store import Progress, content_hash
from tunelings.watch import events


def test_a_solution_that_is_half_written_keeps_no_answer_from_being_checked(desk: Desk, mini: Miniature):
    mini.solve(mini.squares)
    half = add(mini, "03")[0]
    half.write_text("# BEGIN SOLUTION\n", encoding="utf-8")
    desk.save(half, mini.squares.answer_path)
    assert desk.pool.asked == [["1.01"]] and desk.view.states["1.03"] == "not started"


def test_a_damaged_card_is_a_sentence_for_a_hint_and_no_word_in_the_list(desk: Desk, mini: Miniature):
    mini.squares.card_path.write_text("title =", encoding="utf-8")
    desk.save(mini.squares.card_path)
    desk.press("h")
    assert len(desk.view.messages) == 1
    assert "ex01_squares.toml can't be read as a card" in desk.view.messages[0]
    with screen.console.capture() as shown:
        desk.press("l")
    assert "> 1.01 Squares" in shown.get() and "2" in shown.get()
    assert desk.press("down", "enter", "h") == "1.02"
    assert desk.view.messages == ["Hint 1 of 2: Which operator adds?"]


def nested(card: Path) -> None:
    card.write_text("a = " + "[" * 5000, encoding="utf-8")


def folder(card: Path) -> None:
    card.unlink()
    card.mkdir()


@pytest.mark.parametrize("damage", [nested, folder])
def test_a_card_that_cannot_be_read_at_all_is_a_sentence_too(desk: Desk, mini: Miniature, damage):
    desk.watcher.session.on_worker(events.Verdicts((verdict("1.01"),)))
    desk.press("l")
    damage(mini.squares.card_path)
    desk.save(mini.squares.card_path)
    with screen.console.capture() as shown:
        desk.press("l", "l")
    assert "> 1.01 Squares" in shown.get()
    desk.press("l", "h")
    assert len(desk.view.messages) == 1 and "ex01_squares.toml can't be read" in desk.view.messages[0]
    assert "fault" not in desk.view.messages[0]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('title = "Squares"', "title = 5", "`title` is 5, and should be a TOML string"),
        ('hints = ["What is three times three?", "Which operator multiplies?", "It is x * x."]', "hints = []", "empty"),
        ('"Which operator multiplies?"', "1", "a hint is 1, and should be a TOML string"),
        ("minutes = 5", "minutes = true", "`minutes` is True, and should be a TOML integer"),
        ("difficulty = 1", "", "the field 'difficulty' is missing"),
    ],
)
def test_a_card_of_wrong_types_is_a_sentence_too(desk: Desk, mini: Miniature, old: str, new: str, says: str):
    card = mini.squares.card_path.read_text(encoding="utf-8")
    assert card.count(old) == 1
    mini.squares.card_path.write_text(card.replace(old, new), encoding="utf-8")
    desk.save(mini.squares.card_path)
    desk.press("h")
    assert (
        len(desk.view.messages) == 1 and says in desk.view.messages[0] and "ex01_squares.toml" in desk.view.messages[0]
    )
    with screen.console.capture() as shown:
        desk.press("l")
    assert "> 1.01 Squares" in shown.get()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('id = "doubled"', "id = 7", "`id` is 7, and should be a TOML string"),
        ('[{ old = "x * x", new = "x + x" }]', '"x"', "an entry is 'x', and should be a TOML table"),
    ],
)
def test_damaged_mistakes_are_named_and_do_not_stand_in_the_way_of_a_hint(desk, mini, old, new, says):
    card = mini.squares.card_path.read_text(encoding="utf-8")
    assert card.count(old) == 1
    mini.squares.card_path.write_text(card.replace(old, new), encoding="utf-8")
    with pytest.raises(CourseError, match=f"ex01_squares.toml can't be read as a card: {re.escape(says)}"):
        _ = mini.squares.card
    desk.save(mini.squares.card_path)
    desk.press("h")
    assert desk.view.messages == ["Hint 1 of 3: What is three times three?"]


def test_a_pass_with_a_damaged_card_is_shown_with_a_sentence(desk: Desk, mini: Miniature):
    desk.delete(mini.squares.card_path)
    with screen.console.capture() as shown:
        desk.watcher.session.on_worker(events.Verdicts((verdict("1.01"),)))
    assert "all 1 checks pass" in shown.get()
    assert "ex01_squares.toml is missing: every exercise needs its card." in shown.get()


@pytest.mark.parametrize("keys", ["xy", "o", "s", "h", "n", "p", "r", "l"])
def test_no_key_ends_the_loop_whatever_is_wrong_with_the_course(desk: Desk, mini: Miniature, monkeypatch, keys: str):
    monkeypatch.setenv("EDITOR", "an-editor-that-is-not-there")
    add(mini, "03")[0].write_text("# END SOLUTION\n", encoding="utf-8")
    mini.squares.card_path.write_bytes(b"\xff")
    mini.squares.solution_path.write_text("# BEGIN SOLUTION\n", encoding="utf-8")
    mini.solve(mini.shift)
    desk.save(mini.squares.card_path, mini.squares.solution_path)
    desk.press(*keys)
    if keys in {"n", "p", "r", "l"}:
        assert desk.view.messages == []
    else:
        assert desk.view.messages and "Traceback" not in "".join(desk.view.messages)
    assert desk.press("h") in {"1.01", "1.02", "1.03"}


def test_a_folder_that_cannot_be_written_is_a_sentence(desk: Desk, mini: Miniature, monkeypatch):
    def refuse(**_) -> None:
        raise PermissionError(13, "Permission denied")

    mine = mini.solve(mini.squares).read_text(encoding="utf-8")
    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    desk.press("x", "y")
    path = "exercises/module01/ex01_squares.py"
    assert desk.view.messages == [f"{path} couldn't be reset and is unchanged: Permission denied."]
    assert mini.squares.answer_path.read_text(encoding="utf-8") == mine
    assert desk.press("n") == "1.02"


@pytest.mark.parametrize(
    ("editor", "says"),
    [
        (" ", "No editor is configured: open exercises/module01/ex01_squares.py yourself, or set EDITOR."),
        ("vim 'a", "EDITOR is \"vim 'a\", which isn't a command: no closing quotation."),
        ("''", "The editor '' (from VISUAL or EDITOR) is not installed."),
    ],
)
def test_an_editor_that_is_no_command_is_a_sentence(desk: Desk, monkeypatch, editor: str, says: str):
    monkeypatch.setenv("EDITOR", editor)
    monkeypatch.setattr("shutil.which", lambda name: None)
    desk.press("o")
    assert desk.view.messages == [says]


@POSIX
def test_an_editor_that_cannot_be_started_is_a_sentence(desk: Desk, mini: Miniature, monkeypatch):
    editor = mini.root / "editor"
    editor.write_bytes(b"\0\1 no program")
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    desk.press("o")
    assert desk.view.messages == [f"The editor {str(editor)!r} can't be started: Exec format error."]


@POSIX
def test_a_blank_visual_leaves_the_choice_to_editor(desk: Desk, mini: Miniature, monkeypatch):
    monkeypatch.setenv("VISUAL", " ")
    monkeypatch.setenv("EDITOR", "touch -c -t 200101010000")
    desk.press("o")
    assert desk.view.messages == [] and mini.squares.answer_path.stat().st_mtime < 1e9


@pytest.mark.parametrize(("coding", "says"), [("# coding: latin-1\n", ""), ("", "the file is not valid UTF-8 text")])
def test_the_reference_is_shown_beside_an_answer_in_another_encoding(desk: Desk, mini: Miniature, coding, says):
    text = coding + mini.squares.solution_path.read_text(encoding="utf-8") + "# \u00e9t\u00e9\n"
    mini.squares.answer_path.write_bytes(text.encode("latin-1"))
    checks = dict.fromkeys(mini.squares.check_names(), CheckState.PASSED)
    Progress(mini.course).record(mini.squares, content_hash(mini.squares), checks)
    with screen.console.capture() as shown:
        desk.press("s")
    assert [message[: len(says)] for message in desk.view.messages] == [says] * bool(says)
    assert ("-# \u00e9t\u00e9" in shown.get()) == (not says)


def test_an_answer_that_no_parser_takes_keeps_no_key_from_working(desk: Desk, mini: Miniature):
    mini.answer(mini.squares, "x = " + "+".join(["1"] * 100_000) + "\n")
    desk.save(mini.squares.answer_path)
    assert desk.press("l", "escape", "n", "p") == "1.01" and desk.view.messages == []
    assert desk.view.states["1.01"] == "in progress"


def test_a_fault_of_the_loop_itself_is_a_sentence(desk: Desk, monkeypatch):
    monkeypatch.setattr("tunelings.desk.hints.next_hint", lambda *_: 1 / 0)
    desk.press("h")
    (message,) = desk.view.messages
    assert message.startswith("The loop hit an internal error and continues: ZeroDivisionError: division by zero (te")
    assert desk.press("n") == "1.02"


def test_what_cannot_be_drawn_does_not_end_the_loop(desk: Desk, monkeypatch):
    monkeypatch.setattr(type(desk.view), "_header", lambda self: 1 / 0)
    with screen.console.capture() as shown:
        desk.press("n")
    assert "ZeroDivisionError" in shown.get()


def test_a_check_that_does_not_load_is_one_line(desk: Desk):
    report = """.venv/_pytest/python.py:528: in importtestmodule
    mod = import_path(
E     File "checks/module01/test_ex01_squares.py", line 1
E       def f(:
E             ^
E   SyntaxError: invalid syntax"""
    desk.watcher.session.on_worker(events.Error(report))
    where = 'File "checks/module01/test_ex01_squares.py", line 1 def f(: SyntaxError: invalid syntax'
    assert desk.view.trouble == f"The check couldn't be run. {where}"
    desk.watcher.session.on_worker(events.Error("ValueError: no\nbut yes"))
    assert desk.view.trouble == "The check couldn't be run. but yes"


def test_a_process_that_ends_without_a_verdict_is_told(desk: Desk):
    desk.press("r")
    desk.watcher.session.on_worker(events.Ended())
    assert desk.view.trouble.startswith("The process that checked the answer exited unexpectedly")
    assert not desk.view.running
