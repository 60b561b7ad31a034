"""What the loop does about a key, a file and a worker's event, without a terminal, a thread or a worker."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import tunelings
from tests.support.commandline import mark_done
from tests.support.miniature import Miniature
from tests.support.processes import wait_for
from tunelings.course import Course, Exercise
from tunelings.desk import screen
from tunelings.grading.states import CheckState, ExerciseState
from tunelings.grading.verdict import Verdict
from tunelings.watch import events, loop
from tunelings.watch.loop import Watcher, watch_files
from tunelings.watch.pool import Happening, Pool, Said, Server


def verdict(number: str, state: ExerciseState = ExerciseState.PASSED) -> Verdict:
    return Verdict(number, "Title", "docs/", "a.py", state, {"test_one": CheckState.PASSED})


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


@pytest.mark.parametrize("keys", ["xy", "o", "s", "l", "h", "n", "p", "r"])
def test_no_key_ends_the_loop_whatever_is_wrong_with_the_course(desk: Desk, mini: Miniature, monkeypatch, keys: str):
    monkeypatch.setenv("EDITOR", "an-editor-that-is-not-there")
    add(mini, "03")[0].write_text("# END SOLUTION\n", encoding="utf-8")
    mini.squares.card_path.write_bytes(b"\xff")
    mini.squares.solution_path.write_text("# BEGIN SOLUTION\n", encoding="utf-8")
    mini.solve(mini.shift)
    desk.save(mini.squares.card_path, mini.squares.solution_path)
    desk.press(*keys)
    if keys not in {"n", "p", "r"}:
        assert desk.view.messages and "Traceback" not in "".join(desk.view.messages)
    assert desk.press("h") in {"1.01", "1.02", "1.03"}


def test_a_folder_that_cannot_be_written_is_a_sentence(desk: Desk, monkeypatch):
    def refuse(*_) -> None:
        raise PermissionError(13, "Permission denied", "exercises/module01/ex01_squares.py")

    monkeypatch.setattr("tunelings.desk.files.reset", refuse)
    desk.press("x", "y")
    assert "Permission denied" in desk.view.messages[-1]


def test_no_to_a_question_does_nothing(desk: Desk, mini: Miniature):
    mine = mini.solve(mini.squares).read_text(encoding="utf-8")
    desk.press("x")
    assert desk.view.on_yes is not None
    desk.press("n")
    assert desk.view.on_yes is None and mini.squares.answer_path.read_text(encoding="utf-8") == mine


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


@pytest.mark.parametrize("room", ["grading", "handson"])
def test_a_file_saved_in_a_room_of_the_grader_is_seen(mini: Miniature, tmp_path: Path, monkeypatch, room: str):
    package = tmp_path / "tunelings"
    (package / room).mkdir(parents=True)
    monkeypatch.setattr(loop, "PACKAGE", package)
    seen: list[Path] = []
    stop = threading.Event()
    thread = threading.Thread(target=watch_files, args=(mini.root, seen.extend, stop), daemon=True)
    thread.start()

    def save_and_look() -> bool:  # Watching begins at some moment after the thread does.
        (package / room / "x.py").write_text("x = 1\n", encoding="utf-8")
        return package / room / "x.py" in seen

    assert wait_for(save_and_look)
    stop.set()
    thread.join(timeout=10)


@pytest.mark.parametrize("ready", [True, False])
def test_an_idle_worker_that_died_is_replaced_unless_it_never_was_ready(desk: Desk, ready: bool):
    server = Server(process=None, imports=[], once=False, ready=ready)
    desk.pool.servers.append(server)
    desk.happen(Said(server, events.Died(once=False)))
    assert desk.pool.servers == [] and desk.pool.prepared == ["1.01"] * ready
