"""What the loop draws: the exercise, its verdict, the list, and what is said beside them."""

from __future__ import annotations

import io
import re

import pyte
import pytest
from rich.console import Console

from tests.support.commandline import mark_done
from tests.support.desk import Desk, add, not_started, verdict
from tests.support.miniature import Miniature
from tunelings.desk import screen
from tunelings.grading.states import CheckState, ExerciseState
from tunelings.grading.store import Progress, content_hash
from tunelings.grading.verdict import Failure, Verdict
from tunelings.watch import events


def test_a_list_on_the_screen_follows_the_course(desk: Desk, mini: Miniature):
    desk.press("l", "down")
    desk.delete(mini.shift.solution_path)
    assert desk.press("down", "enter") == "1.01"


def test_no_to_a_question_does_nothing_and_takes_it_away(desk: Desk, mini: Miniature):
    mine = mini.solve(mini.squares).read_text(encoding="utf-8")
    with screen.console.capture() as asked:
        desk.press("x")
    assert "Your file is kept beside it. y/n" in asked.get()
    with screen.console.capture() as shown:
        desk.press("n")
    assert "y/n" not in shown.get() and desk.view.exercise.number == "1.01"
    assert desk.view.on_yes is None and mini.squares.answer_path.read_text(encoding="utf-8") == mine


def test_a_terminal_that_comes_back_is_drawn_anew_and_answers_no_question(desk: Desk):
    desk.press("x")
    with screen.console.capture() as shown:
        desk.press("continued")
    assert "y/n" in shown.get() and desk.view.on_yes is not None


def test_what_a_reset_said_stays_until_the_next_save(desk: Desk, mini: Miniature):
    mini.solve(mini.squares)
    told = desk.watcher.session.on_worker
    told(events.Verdicts((verdict("1.01"),)))
    desk.press("h", "x", "y")
    assert desk.pool.asked == [["1.01"]]
    kept = next(mini.squares.answer_path.parent.glob("ex01_squares.2*.py"))
    said = f"The stub is back; your file is kept as exercises/module01/{kept.name}."
    told(events.Verdicts((not_started("1.01"),)))
    desk.save(mini.squares.answer_path)  # The watcher says so too.
    assert desk.view.messages == [said] and desk.pool.asked == [["1.01"]]
    mini.solve(mini.squares)
    desk.save(mini.squares.answer_path)
    told(events.Verdicts((verdict("1.01"),)))
    assert desk.view.messages == []


def test_a_verdict_from_before_is_marked_as_long_as_a_check_runs(desk: Desk, mini: Miniature):
    tell = desk.watcher.session.on_worker
    tell(events.Verdicts((verdict("1.01"),)))
    mini.solve(mini.squares)
    with screen.console.capture() as running:
        desk.save(mini.squares.answer_path)
    assert "checking \u00b7 the verdict below is the previous one" in running.get()
    assert running.get().index("the previous one") < running.get().index("all 1 checks pass")
    assert "Next (n)" not in running.get()
    with screen.console.capture() as told:
        tell(events.Reported(0.5, "epoch 2"))
    assert "epoch 2 \u00b7 the verdict below is the previous one" in told.get()
    with screen.console.capture() as done:
        tell(events.Verdicts((verdict("1.01"),)))
    assert "the previous one" not in done.get() and "Next (n)" in done.get()


def test_the_first_screen_names_its_exercise_and_greets_once_in_three_lines(mini: Miniature):
    desk = Desk(mini)
    with screen.console.capture() as first:
        desk.press("r")
    lines = first.get().splitlines()
    assert lines[0].startswith("Welcome to tunelings.") and lines[2].startswith("h gives a hint") and lines[3] == ""
    assert lines[1] == "The first one is in exercises/module01/ex01_squares.py." and max(map(len, lines[:3])) < 80
    assert "1.01 Squares \u00b7 exercises/module01/ex01_squares.py" in lines and "checking" in lines
    desk.watcher.session.on_worker(events.Verdicts((not_started("1.01"),)))
    assert desk.view.greeting, "the first verdict is the machine's doing"
    desk.watcher.session.on_worker(events.Verdicts((verdict("1.01"),)))
    assert desk.view.greeting == ()
    mark_done(mini)
    assert Desk(mini).view.greeting == ()


@pytest.mark.parametrize("rows", [4, 8, 24, 30])
@pytest.mark.parametrize("columns", [30, 100])
def test_the_list_shows_its_cursor_on_a_screen_of_any_size(mini: Miniature, monkeypatch, rows: int, columns: int):
    for module, count in (("module01", 9), ("module02", 8), ("module03", 12), ("module04", 10)):
        for number in range(3, 3 + count):
            add(mini, f"{number:02}", module)
    desk = Desk(mini)
    for _ in range(len(mini.course.exercises) + 1):
        shown = pyte.Screen(columns, rows)
        out = io.StringIO()
        console = Console(file=out, force_terminal=True, width=columns, height=rows, soft_wrap=True, highlight=False)
        monkeypatch.setattr(screen, "console", console)
        desk.press("l" if not desk.view.listing else "down")
        assert out.getvalue().count("\n") < rows, "the last line would push the first off the screen"
        shown.set_mode(pyte.modes.LNM)
        pyte.Stream(shown).feed(out.getvalue())
        (line,) = [line for line in shown.display if line.startswith(">")]
        assert line.startswith(f"> {desk.view.listing[desk.view.cursor].number} ")
        assert any(line.startswith("up, down: move") for line in shown.display)


def test_the_task_of_an_exercise_is_shown_with_a_link_to_its_lesson(desk: Desk, mini: Miniature, monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(screen, "console", Console(file=out, force_terminal=True, width=100, soft_wrap=True))
    desk.watcher.session.on_worker(events.Verdicts((not_started("1.01"),)))
    page = (mini.root / "docs" / "module01" / "squares.md").as_uri()
    linked = re.sub(r"id=\d+", "", out.getvalue())
    assert f"\x1b]8;;{page}\x1b\\docs/module01/squares.md\x1b]8;;\x1b\\" in linked
    text = re.sub(r"\x1b(\[[0-9;]*[A-Za-z]|\]8;[^\x1b]*\x1b\\)", "", out.getvalue())
    task = """\u25cb 1.01 Title \u00b7 not started
    Every number times itself.
    - squares: multiply x by itself.
    - mean_square: the mean of the squares, as a float.
    About 5 minutes, difficulty 1 of 5 \u00b7 lesson docs/module01/squares.md
    exercises/module01/ex01_squares.py \u00b7 tunelings hint 1.01
"""
    assert task in text


def test_a_task_is_shown_as_far_as_its_files_can_be_read(desk: Desk, mini: Miniature):
    mini.squares.solution_path.write_text("# BEGIN SOLUTION\n", encoding="utf-8")
    mini.squares.card_path.unlink()
    with screen.console.capture() as shown:
        desk.watcher.session.on_worker(events.Verdicts((not_started("1.01"),)))
    assert "not started" in shown.get() and "every exercise needs its card" in shown.get()
    assert desk.view.messages == []


def test_a_module_is_said_to_be_done_once(desk: Desk, mini: Miniature):
    mark_done(mini)
    mini.solve(mini.shift)
    checks = dict.fromkeys(mini.shift.check_names(), CheckState.PASSED)
    Progress(mini.course).record(mini.shift, content_hash(mini.shift), checks)
    told = []
    for _ in range(2):
        with screen.console.capture() as shown:
            desk.watcher.session.on_worker(events.Verdicts((verdict("1.01"), verdict("1.02"))))
        told.append("Module done: Training fundamentals. Every exercise in it passes." in shown.get())
    assert told == [True, False] and "Every exercise here is done." in shown.get()


def test_the_head_counts_the_exercises_of_the_module(desk: Desk, mini: Miniature):
    desk.save(*add(mini, "01", "module02"))
    mark_done(mini)
    desk.watcher.session.on_worker(events.Verdicts((verdict("1.01"),)))
    with screen.console.capture() as shown:
        desk.view.draw()
    assert "Training fundamentals █████░░░░░ 1 of 2 done" in shown.get()
    with screen.console.capture() as shown:
        assert desk.press("n", "n") == "2.01"
    assert "Fine-tuning basics ░░░░░░░░░░ 0 of 1 done" in shown.get()


def test_the_cursor_of_the_list_goes_around(desk: Desk):
    cursors = []
    for key in ("l", "up", "up", "k", "j", "down"):
        desk.press(key)
        cursors.append(desk.view.cursor)
    assert cursors == [0, 1, 0, 1, 0, 1]
    desk.press("escape", "n", "l")
    assert desk.view.cursor == 1, "the list begins at the exercise that was on the screen"


def test_in_a_pipe_each_thing_is_said_once_and_nothing_while_a_check_runs(desk: Desk):
    desk.view.interactive = False
    with screen.console.capture() as shown:
        desk.press("r")
        desk.watcher.session.on_worker(events.Reported(0.5, "half"))
        desk.press("h")
        desk.watcher.session.on_worker(events.Verdicts((verdict("1.01"),)))
        desk.press("h")
    said = shown.get()
    assert "half" not in said and "q quit" not in said
    assert said.count("Hint 1 of 3") == said.count("Hint 2 of 3") == 1
    assert said.index("Hint 1 of 3") < said.index("all 1 checks pass")


@pytest.mark.parametrize("failing", [1, 2])
def test_how_many_checks_pass_is_said_where_more_than_one_fails(desk: Desk, failing: int):
    names = ("test_one", "test_two", "test_three")
    states = {name: CheckState.FAILED if i < failing else CheckState.PASSED for i, name in enumerate(names)}
    failure = Failure("test_one", CheckState.FAILED, "what", expected="1", got="2")
    one = Verdict("1.01", "Title", "docs/", "a.py", ExerciseState.FAILED, states, failure)
    with screen.console.capture() as shown:
        desk.watcher.session.on_worker(events.Verdicts((one,)))
    assert ("1 of 3 checks pass; this is the first that doesn't" in shown.get()) == (failing == 2)
    assert "2 of 3" not in shown.get()


def test_a_long_line_is_wrapped_between_words_in_a_terminal_and_left_whole_in_a_pipe(monkeypatch):
    words = "    expectation " * 9
    for is_terminal in (True, False):
        out = io.StringIO()
        monkeypatch.setattr(screen, "console", Console(file=out, force_terminal=is_terminal, width=40, soft_wrap=True))
        screen.show(words)
        lines = out.getvalue().splitlines()
        assert (max(map(len, lines)) <= 40) == is_terminal and set(" ".join(lines).split()) == {"expectation"}
        assert all(line.startswith("    ") for line in lines)


def test_a_verdict_from_before_is_dim(desk: Desk, mini: Miniature, monkeypatch):
    def drawn() -> str:
        out = io.StringIO()
        monkeypatch.setattr(screen, "console", Console(file=out, force_terminal=True, width=100, soft_wrap=True))
        desk.view.draw()
        return out.getvalue()

    desk.watcher.session.on_worker(events.Verdicts((verdict("1.01"),)))
    assert "\x1b[32m✓ 1.01 Title: all 1 checks pass" in drawn()
    mini.solve(mini.squares)
    desk.save(mini.squares.answer_path)
    assert "\x1b[2m✓ 1.01 Title: all 1 checks pass" in drawn()
