"""What the loop does about a key, a file and a worker's event, without a terminal, a thread or a worker."""

from __future__ import annotations

import contextlib
import io
import queue
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest
from rich.console import Console

import tunelings
from tests.support.commandline import mark_done
from tests.support.miniature import Miniature
from tests.support.processes import wait_for
from tunelings.course import Course, Exercise
from tunelings.desk import screen
from tunelings.grading.states import CheckState, ExerciseState
from tunelings.grading.store import Progress, content_hash
from tunelings.grading.verdict import Failure, Verdict
from tunelings.watch import events, loop, session
from tunelings.watch.actions import Quit
from tunelings.watch.loop import Watcher, watch_files, watch_links
from tunelings.watch.pool import Happening, Pool, Said, Server


def verdict(number: str, state: ExerciseState = ExerciseState.PASSED) -> Verdict:
    return Verdict(number, "Title", "docs/", "a.py", state, {"test_one": CheckState.PASSED})


def not_started(number: str) -> Verdict:
    failure = Failure("test_one", CheckState.NOT_STARTED)
    return Verdict(number, "Title", "docs/", "a.py", ExerciseState.NOT_STARTED, failure=failure)


class IdlePool(Pool):
    """A pool that writes down what it is asked for."""

    def __init__(self, course: Course):
        super().__init__(course)
        self.asked: list[list[str]] = []
        self.prepared: list[str] = []
        self.restarts = 0

    def request(self, exercises: list[Exercise], seed: int = 0) -> None:
        self.asked.append([exercise.number for exercise in exercises])

    def prepare(self, exercise: Exercise) -> None:
        self.prepared.append(exercise.number)

    def restart(self) -> None:
        self.restarts += 1


class Desk:
    """A loop to which things happen one by one."""

    def __init__(self, mini: Miniature, selection: str = "all"):
        self.pool = IdlePool(mini.course)
        self.watcher = Watcher(mini.course, mini.squares, selection, self.pool)
        self.view = self.watcher.session.view
        self.view.interactive = True

    def happen(self, happening: Happening) -> None:
        self.pool.inbox.put(happening)
        self.watcher.handle_next()

    def press(self, *keys: str) -> str:
        """Press keys, and return the number of the exercise that is shown then."""
        for key in keys:
            self.happen(events.KeyPressed(key))
        return self.view.exercise.number

    def save(self, *paths: Path) -> None:
        self.happen(events.FilesChanged(frozenset(paths)))

    def delete(self, path: Path) -> None:
        path.unlink()
        self.save(path)


@pytest.fixture
def desk(mini: Miniature) -> Desk:
    return Desk(mini)


def add(mini: Miniature, number: str, module: str = "module01") -> list[Path]:
    """A copy of 1.02 as another exercise; returns its files."""
    copies = []
    for path in (mini.shift.solution_path, mini.shift.check_path, mini.shift.card_path, mini.shift.answer_path):
        copy = Path(str(path).replace("module01", module).replace("ex02_shift", f"ex{number}_other"))
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
        copies.append(copy)
    return copies


def test_an_exercise_that_comes_while_the_loop_runs_is_walked_to(desk: Desk, mini: Miniature):
    assert [desk.press("n"), desk.press("n"), desk.press("p"), desk.press("p")] == ["1.02", "1.01", "1.02", "1.01"]
    desk.save(*add(mini, "03")[:3])
    assert [desk.press("n"), desk.press("n"), desk.press("n"), desk.press("p")] == ["1.02", "1.03", "1.01", "1.03"]
    assert desk.pool.asked[-1] == ["1.03"]
    desk.press("l")
    assert [exercise.number for exercise in desk.view.listing] == ["1.01", "1.02", "1.03"]


def test_only_the_chosen_module_is_walked_through(mini: Miniature):
    add(mini, "01", "module02")
    desk = Desk(mini, "module01")
    desk.save(*add(mini, "03")[:3], *add(mini, "02", "module02")[:3])
    assert [desk.press("n"), desk.press("n"), desk.press("n")] == ["1.02", "1.03", "1.01"]
    assert [desk.press("p"), desk.press("p")] == ["1.03", "1.02"]


def test_an_exercise_that_goes_is_left_for_its_neighbors(desk: Desk, mini: Miniature):
    solution = add(mini, "03")[0]
    desk.save(solution)
    assert desk.press("n") == "1.02"
    desk.delete(mini.shift.solution_path)
    assert desk.press("l", "escape") == "1.02"
    assert desk.press("n") == "1.03"
    desk.delete(solution)
    assert desk.press("p") == "1.01"
    assert desk.press("n") == "1.01", "there is no other"


def test_the_verdict_of_a_new_exercise_counts_for_the_next_one_and_the_module(desk: Desk, mini: Miniature):
    desk.save(*add(mini, "03")[:3])
    desk.press("n")
    desk.watcher.session.on_worker(events.Verdicts((verdict("1.02"),)))
    assert desk.view.next_one.number == "1.03" and not desk.view.module_done


def test_a_verdict_renews_the_state_of_its_exercise(desk: Desk, mini: Miniature):
    mark_done(mini)
    assert desk.view.states["1.01"] == "not started"
    desk.watcher.session.on_worker(events.Verdicts((verdict("1.01"),)))
    assert desk.view.states["1.01"] == "passed" and desk.view.next_one.number == "1.02"


def test_a_solution_that_is_half_written_keeps_no_answer_from_being_checked(desk: Desk, mini: Miniature):
    mini.solve(mini.squares)
    half = add(mini, "03")[0]
    half.write_text("# BEGIN SOLUTION\n", encoding="utf-8")
    desk.save(half, mini.squares.answer_path)
    assert desk.pool.asked == [["1.01"]] and desk.view.states["1.03"] == "not started"


def test_the_verdict_of_an_exercise_that_has_gone_meanwhile_is_shown(desk: Desk, mini: Miniature):
    desk.delete(mini.squares.solution_path)
    desk.watcher.session.on_worker(events.Verdicts((verdict("1.01", ExerciseState.IN_PROGRESS),)))
    assert desk.view.verdict.number == "1.01" and desk.view.next_one.number == "1.02"


def test_a_list_on_the_screen_follows_the_course(desk: Desk, mini: Miniature):
    desk.press("l", "down")
    desk.delete(mini.shift.solution_path)
    assert desk.press("down", "enter") == "1.01"


def test_a_damaged_card_is_a_sentence_for_a_hint_and_no_word_in_the_list(desk: Desk, mini: Miniature):
    mini.squares.card_path.write_text("title =", encoding="utf-8")
    desk.save(mini.squares.card_path)
    desk.press("h")
    assert len(desk.view.messages) == 1
    assert "ex01_squares.toml cannot be read as a card" in desk.view.messages[0]
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
    assert len(desk.view.messages) == 1 and "ex01_squares.toml cannot be read" in desk.view.messages[0]
    assert "fault" not in desk.view.messages[0]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('title = "Squares"', "title = 5", "`title` is 5, and should be a TOML string"),
        ('hints = ["What is three times three?", "Which operator multiplies?", "It is x * x."]', "hints = []", "empty"),
        ('"Which operator multiplies?"', "1", "a hint is 1, and should be a TOML string"),
        ("minutes = 5", "minutes = true", "`minutes` is True, and should be a TOML integer"),
        ("difficulty = 1", "", "the field 'difficulty' is missing"),
        ('id = "doubled"', "id = 7", "`id` is 7, and should be a TOML string"),
        ('[{ old = "x * x", new = "x + x" }]', '"x"', "an entry is 'x', and should be a TOML table"),
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
    assert desk.view.messages == [f"{path} could not be reset, and is as it was: Permission denied."]
    assert mini.squares.answer_path.read_text(encoding="utf-8") == mine
    assert desk.press("n") == "1.02"


@pytest.mark.parametrize(
    ("editor", "says"),
    [
        (" ", "No editor is known: open exercises/module01/ex01_squares.py yourself, or set the variable EDITOR."),
        ("vim 'a", 'EDITOR is "vim \'a", which is no command: no closing quotation.'),
        ("''", "The editor '' (from VISUAL or EDITOR) is not installed."),
    ],
)
def test_an_editor_that_is_no_command_is_a_sentence(desk: Desk, monkeypatch, editor: str, says: str):
    monkeypatch.setenv("EDITOR", editor)
    monkeypatch.setattr("shutil.which", lambda name: None)
    desk.press("o")
    assert desk.view.messages == [says]


def test_an_editor_that_cannot_be_started_is_a_sentence(desk: Desk, mini: Miniature, monkeypatch):
    editor = mini.root / "editor"
    editor.write_bytes(b"\0\1 no program")
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    desk.press("o")
    assert desk.view.messages == [f"The editor {str(editor)!r} cannot be started: Exec format error."]


def test_a_blank_visual_leaves_the_choice_to_editor(desk: Desk, mini: Miniature, monkeypatch):
    monkeypatch.setenv("VISUAL", " ")
    monkeypatch.setenv("EDITOR", "touch -c -d 2001-01-01")
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
    assert message.startswith("The loop met a fault of its own and goes on: ZeroDivisionError: division by zero (test_")
    assert desk.press("n") == "1.02"


def test_what_cannot_be_drawn_does_not_end_the_loop(desk: Desk, monkeypatch):
    monkeypatch.setattr(type(desk.view), "_header", lambda self: 1 / 0)
    with screen.console.capture() as shown:
        desk.press("n")
    assert "ZeroDivisionError" in shown.get()


def test_ctrl_c_ends_the_loop_as_an_interruption_and_q_as_a_wish(desk: Desk):
    for keys in ([], ["l"], ["x"]):
        with pytest.raises(KeyboardInterrupt):
            desk.press(*keys, "interrupt")
        desk.press("escape")
    with pytest.raises(Quit):
        desk.press("q")


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
    assert "checking \u00b7 the verdict below is the one before" in running.get()
    assert running.get().index("the one before") < running.get().index("all 1 checks pass")
    assert "Next (n)" not in running.get()
    with screen.console.capture() as told:
        tell(events.Reported(0.5, "epoch 2"))
    assert "epoch 2 \u00b7 the verdict below is the one before" in told.get()
    with screen.console.capture() as done:
        tell(events.Verdicts((verdict("1.01"),)))
    assert "the one before" not in done.get() and "Next (n)" in done.get()


def test_the_first_screen_names_its_exercise_and_greets_once_in_three_lines(mini: Miniature):
    desk = Desk(mini)
    with screen.console.capture() as first:
        desk.press("r")
    lines = first.get().splitlines()
    assert lines[0].startswith("Welcome to tunelings") and lines[1].startswith(
        "Open exercises/module01/ex01_squares.py"
    )
    assert lines[2].startswith("h gives a hint") and lines[3] == ""
    assert "1.01 Squares \u00b7 exercises/module01/ex01_squares.py" in lines and "checking" in lines
    desk.watcher.session.on_worker(events.Verdicts((not_started("1.01"),)))
    assert desk.view.greeting, "the first verdict is the machine's doing"
    desk.watcher.session.on_worker(events.Verdicts((verdict("1.01"),)))
    assert desk.view.greeting == ()
    mark_done(mini)
    assert Desk(mini).view.greeting == ()


def test_a_check_that_does_not_load_is_one_line(desk: Desk):
    report = """.venv/_pytest/python.py:528: in importtestmodule
    mod = import_path(
E     File "checks/module01/test_ex01_squares.py", line 1
E       def f(:
E             ^
E   SyntaxError: invalid syntax"""
    desk.watcher.session.on_worker(events.Error(report))
    where = 'File "checks/module01/test_ex01_squares.py", line 1 def f(: SyntaxError: invalid syntax'
    assert desk.view.trouble == f"The check could not be run. {where}"
    desk.watcher.session.on_worker(events.Error("ValueError: no\nbut yes"))
    assert desk.view.trouble == "The check could not be run. but yes"


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


def test_the_grader_is_the_whole_package():
    assert loop.PACKAGE == Path(tunelings.__file__).resolve().parent


@pytest.mark.parametrize(
    "place", ["grading/plugin.py", "handson/tiny.py", "watch/worker.py", "course.py", "new/one.py"]
)
def test_a_change_of_the_grader_restarts_the_workers_and_checks_anew(desk: Desk, mini: Miniature, place: str):
    desk.save(mini.squares.answer_path)
    desk.save(mini.squares.answer_path)
    assert desk.pool.restarts == 0 and desk.pool.asked == [["1.01"]]
    desk.save(loop.PACKAGE / place)
    assert desk.pool.restarts == 1 and desk.pool.asked == [["1.01"], ["1.01"]]
    assert desk.view.messages == ["The grader has changed: starting it anew."]


def test_other_files_restart_nothing(desk: Desk, mini: Miniature):
    desk.save(loop.PACKAGE / "grading/__pycache__/run.cpython-311.pyc", mini.squares.check_path)
    assert desk.pool.restarts == 0


@pytest.mark.parametrize("place", ["tunelings/grading", "tunelings/handson", "exercises", "checks", "solutions"])
def test_a_file_saved_in_a_room_of_the_grader_or_a_tree_of_the_course_is_seen(mini: Miniature, monkeypatch, place: str):
    package = mini.root / "tunelings"
    (mini.root / place).mkdir(parents=True, exist_ok=True)
    package.mkdir(exist_ok=True)
    monkeypatch.setattr(loop, "PACKAGE", package)
    seen: list[Path] = []
    stop = threading.Event()
    thread = threading.Thread(target=watch_files, args=(mini.root, seen.extend, stop), daemon=True)
    thread.start()

    def save_and_look() -> bool:  # Watching begins at some moment after the thread does.
        (mini.root / place / "x.py").write_text("x = 1\n", encoding="utf-8")
        return mini.root / place / "x.py" in seen

    assert wait_for(save_and_look, 60)
    stop.set()
    thread.join(timeout=10)


def test_an_answer_that_becomes_a_link_is_followed_to_its_file(desk: Desk, mini: Miniature, tmp_path: Path):
    seen: queue.Queue[frozenset[Path]] = queue.Queue()
    stop = threading.Event()
    thread = threading.Thread(target=watch_links, args=(mini.root, seen.put, stop), daemon=True)
    thread.start()
    for exercise, folder in ((mini.squares, "one"), (mini.shift, "two")):
        (tmp_path / folder).mkdir()
        target = tmp_path / folder / "mine.py"
        exercise.answer_path.replace(target)
        exercise.answer_path.symlink_to(target)
        for number in range(600):  # Watching begins at some moment after the link is there.
            target.write_text(f"x = {number}\n", encoding="utf-8")
            with contextlib.suppress(queue.Empty):
                if target in seen.get(timeout=0.2):
                    break
        else:
            raise AssertionError(f"the save of {target} was not seen")
    stop.set()
    thread.join(timeout=10)
    desk.save(target)
    assert desk.pool.asked[-1][-1] == "1.02", "a save of the file that 1.02 leads to"


@pytest.mark.parametrize("ready", [True, False])
def test_an_idle_worker_that_died_is_replaced_unless_it_never_was_ready(desk: Desk, ready: bool):
    server = Server(process=None, imports=[], once=False, ready=ready)
    desk.pool.servers.append(server)
    desk.happen(Said(server, events.Died(once=False)))
    assert desk.pool.servers == [] and desk.pool.prepared == ["1.01"] * ready


# The time that a check may take; the clock stands still.


@pytest.fixture
def clock(monkeypatch) -> Iterator[None]:
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    yield


def test_a_check_has_its_own_limit_and_what_follows_it_the_diagnosis_s(clock, desk: Desk):
    watcher = desk.watcher.session
    desk.press("r")
    assert watcher.deadline == 1000.0 + session.DIAGNOSIS_LIMIT
    watcher.on_worker(events.Checking("test_one", 7.0))
    assert watcher.deadline == 1007.0 + session.GRACE
    watcher.on_worker(events.Checked())
    assert watcher.deadline == 1000.0 + session.DIAGNOSIS_LIMIT
    watcher.on_worker(events.Ended())
    assert watcher.deadline is None


def test_a_check_beyond_its_limit_is_ended_once(desk: Desk, monkeypatch):
    waited = []
    monkeypatch.setattr(
        desk.pool, "next_happening", lambda seconds: waited.append(seconds) or desk.pool.inbox.get(False)
    )
    desk.watcher.session.check([desk.view.exercise])
    desk.watcher.session.on_worker(events.Checking("test_one", 7.0))
    desk.watcher.session.deadline = time.monotonic() - 1
    desk.watcher.handle_next()
    assert waited == [0.0] and desk.view.trouble.startswith("The check did not finish in 7 s")
    desk.watcher.handle_next()
    assert waited == [0.0, 3600.0]


def test_a_stopped_check_is_not_ended_again(desk: Desk):
    desk.press("r", "c")
    assert desk.view.trouble == "Stopped. Press r to run it again." and desk.watcher.session.deadline is None
    desk.press("c")
    assert desk.view.trouble == "Stopped. Press r to run it again."


def test_a_save_whose_event_got_lost_is_checked_after_the_check_under_way(desk: Desk, mini: Miniature):
    desk.press("r")
    mini.solve(mini.squares)
    desk.watcher.session.on_worker(events.Verdicts((not_started("1.01"),)))
    desk.watcher.session.on_worker(events.Ended())
    assert desk.pool.asked == [["1.01"], ["1.01"]]


def test_a_process_that_ends_without_a_verdict_is_told(desk: Desk):
    desk.press("r")
    desk.watcher.session.on_worker(events.Ended())
    assert desk.view.trouble.startswith("The process that checked the answer ended by itself")
    assert not desk.view.running


# What is drawn.


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


def test_only_y_says_yes(desk: Desk, mini: Miniature):
    mine = mini.solve(mini.squares).read_text(encoding="utf-8")
    for key in ("n", "x", "enter", "escape", "up", "Y"):
        desk.press("x", key)
    assert mini.squares.answer_path.read_text(encoding="utf-8") == mine and desk.view.on_yes is None


def test_the_reference_is_not_shown_before_a_pass(desk: Desk, mini: Miniature):
    mini.solve(mini.squares, "x * x", "x + x")
    with screen.console.capture() as shown:
        desk.press("s")
    assert "After a pass. `tunelings solution 1.01` shows it before." in shown.get() and "x * x" not in shown.get()


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


def test_the_pool_and_the_status_follow_the_course_on_disk(desk: Desk, mini: Miniature):
    assert len(desk.pool.course.exercises) == 2
    desk.save(*add(mini, "03")[:3])
    for course in (desk.pool.course, desk.watcher.session.progress.course):
        assert [exercise.number for exercise in course.exercises] == ["1.01", "1.02", "1.03"]


@pytest.mark.parametrize("failing", [1, 2])
def test_how_many_checks_pass_is_said_where_more_than_one_fails(desk: Desk, failing: int):
    names = ("test_one", "test_two", "test_three")
    states = {name: CheckState.FAILED if i < failing else CheckState.PASSED for i, name in enumerate(names)}
    failure = Failure("test_one", CheckState.FAILED, "what", expected="1", got="2")
    one = Verdict("1.01", "Title", "docs/", "a.py", ExerciseState.FAILED, states, failure)
    with screen.console.capture() as shown:
        desk.watcher.session.on_worker(events.Verdicts((one,)))
    assert ("1 of 3 checks pass; this is the first that does not" in shown.get()) == (failing == 2)
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
