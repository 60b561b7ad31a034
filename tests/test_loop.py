"""What the loop does about a key, a file and a worker's event, without a terminal, a thread or a worker.

Long: 29 tests, by what happens to the loop.
"""

from __future__ import annotations

import contextlib
import queue
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import tunelings
from tests.support.commandline import mark_done
from tests.support.desk import Desk, add, not_started, verdict
from tests.support.miniature import Miniature
from tests.support.processes import wait_for
from tests.support.systems import POSIX
from tunelings.desk import screen
from tunelings.grading.limits import longest
from tunelings.grading.states import ExerciseState
from tunelings.watch import events, loop, session
from tunelings.watch.actions import Quit
from tunelings.watch.loop import watch_files, watch_links
from tunelings.watch.pool import Said, Server


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


def test_the_verdict_of_an_exercise_that_has_gone_meanwhile_is_shown(desk: Desk, mini: Miniature):
    desk.delete(mini.squares.solution_path)
    desk.watcher.session.on_worker(events.Verdicts((verdict("1.01", ExerciseState.IN_PROGRESS),)))
    assert desk.view.verdict.number == "1.01" and desk.view.next_one.number == "1.02"


def test_ctrl_c_ends_the_loop_as_an_interruption_and_q_as_a_wish(desk: Desk):
    for keys in ([], ["l"], ["x"]):
        with pytest.raises(KeyboardInterrupt):
            desk.press(*keys, "interrupt")
        desk.press("escape")
    with pytest.raises(Quit):
        desk.press("q")


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
    assert desk.view.messages == ["The grader has changed: restarting it."]


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
    thread.join(timeout=120)


@POSIX  # Windows deletes no folder that is watched.
def test_a_folder_that_is_deleted_and_made_again_is_watched_again(mini: Miniature):
    exercises, text = mini.root / "exercises", mini.squares.answer_path.read_text(encoding="utf-8")
    seen: list[Path] = []
    stop = threading.Event()
    thread = threading.Thread(target=watch_files, args=(mini.root, seen.extend, stop), daemon=True)
    thread.start()

    def save_and_look() -> bool:
        mini.answer(mini.squares, text)
        return mini.squares.answer_path in seen

    assert wait_for(save_and_look, 60)
    shutil.rmtree(exercises)
    assert wait_for(lambda: exercises in seen, 60)
    seen.clear()
    mini.squares.answer_path.parent.mkdir(parents=True)
    assert wait_for(lambda: exercises in seen, 60), "what was written before it was watched would be missed"
    seen.clear()
    assert wait_for(save_and_look, 60)
    stop.set()
    thread.join(timeout=120)


def test_a_folder_that_goes_before_it_is_watched_ends_no_thread(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(loop, "_LOOK", 0.0)
    assert list(loop._changes([tmp_path / "gone"], threading.Event(), poll=False)) == [frozenset()]


@POSIX
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
    thread.join(timeout=120)
    desk.save(target)
    assert desk.pool.asked[-1][-1] == "1.02", "a save of the file that 1.02 leads to"


@pytest.mark.parametrize("ready", [True, False])
def test_an_idle_worker_that_died_is_replaced_unless_it_never_was_ready(desk: Desk, ready: bool):
    server = Server(process=None, imports=[], once=False, ready=ready)
    desk.pool.servers.append(server)
    desk.happen(Said(server, events.Died(once=False)))
    assert desk.pool.servers == [] and desk.pool.prepared == ["1.01"] * ready


@pytest.fixture
def clock(monkeypatch) -> Iterator[None]:
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    yield


def test_a_check_has_its_own_limit_and_what_follows_it_the_diagnosis_s(clock, desk: Desk):
    watcher = desk.watcher.session
    desk.press("r")
    assert watcher.deadline == 1000.0 + session.DIAGNOSIS_LIMIT
    watcher.on_worker(events.Checking("test_one", 7.0))
    assert watcher.deadline == 1000.0 + longest(7.0) + session.GRACE
    watcher.on_worker(events.Checked())
    assert watcher.deadline == 1000.0 + session.DIAGNOSIS_LIMIT
    watcher.on_worker(events.Ended())
    assert watcher.deadline is None


def test_a_check_beyond_its_limit_is_ended_once(desk: Desk, monkeypatch):
    monkeypatch.setattr(loop, "_WAIT", 0.01)
    desk.watcher.session.check([desk.view.exercise])
    desk.watcher.session.on_worker(events.Checking("test_one", 7.0))
    desk.watcher.session.deadline = time.monotonic() - 1
    desk.watcher.handle_next()
    assert desk.view.trouble.startswith("The check did not finish in 7 s")
    assert desk.watcher.session.deadline is None


@POSIX
@pytest.mark.timeout(60)
def test_a_signal_that_another_thread_receives_is_handled_though_nothing_happens(desk: Desk):
    """Python runs handlers in the main thread alone; after Ctrl-Z and fg it learned of fg with the next event only."""
    seen: list[int] = []
    was = signal.signal(signal.SIGCONT, lambda number, _: seen.append(number))

    def receive() -> None:
        time.sleep(0.1)  # until the main thread waits
        signal.pthread_kill(threading.get_ident(), signal.SIGCONT)

    thread = threading.Thread(target=receive)
    try:
        thread.start()
        desk.watcher.handle_next()
        assert seen == [signal.SIGCONT]
    finally:
        thread.join()
        signal.signal(signal.SIGCONT, was)


def test_a_wait_that_ends_before_the_limit_ends_no_check(desk: Desk, monkeypatch):
    monkeypatch.setattr(loop, "_WAIT", 0.0)
    desk.watcher.session.check([desk.view.exercise])
    desk.watcher.session.on_worker(events.Checking("test_one", 7.0))
    desk.watcher.handle_next()
    assert not desk.view.trouble and desk.watcher.session.deadline is not None


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
    mini.solve(mini.shift)
    desk.save(mini.shift.answer_path, mini.solve(mini.squares, "x * x", "x + x"))
    mini.solve(mini.squares)
    mini.solve(mini.shift, "x + by", "x + 1")
    desk.watcher.session.on_worker(events.Ended())
    assert desk.pool.asked[2:] == [["1.01", "1.02"]] * 2


def test_a_folder_that_is_back_has_the_exercise_at_hand_checked_and_no_other(desk: Desk, mini: Miniature):
    desk.press("n", "p")
    mini.solve(mini.squares)
    mini.solve(mini.shift)
    desk.save(mini.root / "exercises")
    assert desk.pool.asked[2:] == [["1.01"]]


def test_a_check_that_ends_turns_the_screen_to_no_other_exercise(desk: Desk, mini: Miniature):
    desk.press("n", "p")
    mini.solve(mini.shift)
    desk.press("r")
    desk.watcher.session.on_worker(events.Verdicts((not_started("1.01"),)))
    desk.watcher.session.on_worker(events.Ended())
    assert desk.view.exercise.number == "1.01" and desk.pool.asked[-1] == ["1.01"]


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


def test_the_pool_and_the_status_follow_the_course_on_disk(desk: Desk, mini: Miniature):
    assert len(desk.pool.course.exercises) == 2
    desk.save(*add(mini, "03")[:3])
    for course in (desk.pool.course, desk.watcher.session.progress.course):
        assert [exercise.number for exercise in course.exercises] == ["1.01", "1.02", "1.03"]


def test_a_check_that_is_saved_together_with_an_answer_is_read_too(desk: Desk, mini: Miniature):
    assert len(desk.pool.course.exercises) == 2
    desk.save(*add(mini, "03"))
    assert [exercise.number for exercise in desk.pool.course.exercises] == ["1.01", "1.02", "1.03"]


def test_each_tree_of_the_course_and_the_grader_is_watched(mini: Miniature, monkeypatch):
    watched: list[Path] = []
    stop = threading.Event()

    def changes(folders: list[Path], *_, **__) -> Iterator[frozenset[Path]]:
        watched.extend(folders)
        stop.set()
        return iter(())

    monkeypatch.setattr(loop, "_changes", changes)
    watch_files(mini.root, print, stop)
    assert watched == [*(mini.root / tree for tree in ("exercises", "checks", "solutions")), loop.PACKAGE]


@POSIX
def test_an_answer_that_becomes_a_link_while_others_are_watched_is_watched_too(
    mini: Miniature, tmp_path: Path, monkeypatch
):
    watched: list[list[Path]] = []
    stop, one, two = threading.Event(), tmp_path.resolve() / "one", tmp_path.resolve() / "two"

    def lead(answer: Path, folder: Path) -> None:
        folder.mkdir()
        answer.replace(folder / "mine.py")
        answer.symlink_to(folder / "mine.py")

    def changes(folders: list[Path], *_, **__) -> Iterator[frozenset[Path]]:
        watched.append(folders)
        if not two.exists():
            lead(mini.shift.answer_path, two)
        yield from [frozenset()] * 3
        stop.set()

    lead(mini.squares.answer_path, one)
    monkeypatch.setattr(loop, "_changes", changes)
    watch_links(mini.root, print, stop)
    assert watched == [[one], [one, two]]
