"""The store of the verdicts outlives a damage, a kill and a second run, and never costs a verdict."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.commandline import mark_done
from tests.support.miniature import Miniature
from tests.support.systems import POSIX
from tunelings.grading import store
from tunelings.grading.apart import can_fork
from tunelings.grading.store import Progress
from tunelings.writing import write_atomically, write_if_changed

SQUARES, SHIFT = "checks/module01/test_ex01_squares.py", "checks/module01/test_ex02_shift.py"


@pytest.fixture
def ticked(mini: Miniature) -> Miniature:
    mark_done(mini)
    assert state(mini) == "passed"
    return mini


def state(mini: Miniature) -> str:
    """The state of 1.01, as a run that begins now reads it."""
    return Progress(mini.course).state(mini.squares)


DAMAGES = {
    "empty": b"",
    "cut short": b'{"version": 1, "exer',
    "no object": b"[1, 2]",
    "no exercises": b'{"version": 1}',
    "a list of exercises": b'{"version": 1, "exercises": [1]}',
    "no entry": b'{"version": 1, "exercises": {"1.01": 7}}',
    "no key": b'{"version": 1, "exercises": {"1.01": {"checks": {}}}}',
    "a list of checks": b'{"version": 1, "exercises": {"1.01": {"key": "a", "checks": []}}}',
    "another version": b'{"version": 99, "exercises": {}}',
    "no text": b"\xff\xfe\x00",
    "too deep": b"[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_store_is_set_aside_with_one_message(ticked, capsys, damage):
    kept = Progress(ticked.course)
    kept.path.write_bytes(DAMAGES[damage])
    assert state(ticked) == "in progress"
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and told.startswith("The stored status was damaged (")
    assert told.endswith("it is kept as progress.damaged.json. Run the checks again.\n")
    assert kept.path.with_name("progress.damaged.json").read_bytes() == DAMAGES[damage]
    assert set(kept.states().values()) == {"in progress", "not started"}
    mark_done(ticked)
    assert state(ticked) == "passed"
    assert capsys.readouterr().err == ""


def test_a_damaged_store_changes_no_verdict(ticked):
    Progress(ticked.course).path.write_bytes(b"{")
    graded = ticked.grade(SQUARES)
    assert (graded.code, state(ticked)) == (0, "passed")
    assert "The stored status was damaged" in graded.output


@POSIX  # Elsewhere such a file would take its room on the disk.
@pytest.mark.parametrize("place", [".tunelings/progress.json", "STATUS.md"])
def test_a_file_of_terabytes_with_nothing_in_it_is_never_read(ticked, tunelings, place: str):
    path = ticked.root / place
    path.unlink()
    enlarge(path)
    assert tunelings("list").code == 0
    enlarge(path)
    graded = ticked.grade(SQUARES)
    assert (graded.code, state(ticked)) == (0, "passed")
    told = "The stored status was damaged (the file is larger than 16 MiB)" in graded.output
    assert told == (path.suffix == ".json")
    assert path.stat().st_size < 10**4


def enlarge(path: Path) -> None:
    with path.open("w") as file:
        file.truncate(10**13)


PLACES = {
    ".tunelings/progress.json": "progress.json was no file",
    ".tunelings/progress.lock": "progress.lock was no file",
    "STATUS.md": "STATUS.md was no file",
    ".tunelings": ".tunelings was no folder",
}


def clear(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def obstruct(path: Path, kind: str) -> None:
    """Put a folder with something in it, a pipe or a file where the store expects another thing."""
    clear(path)
    path.parent.mkdir(exist_ok=True)
    if kind == "folder":
        (path / "mine").mkdir(parents=True)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_text("mine")


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        *((place, "folder") for place in list(PLACES)[:3]),
        *(pytest.param(place, "pipe", marks=POSIX) for place in PLACES),
        (".tunelings", "file"),
    ],
)
def test_what_stands_in_place_of_the_store_is_set_aside_and_said(ticked, tunelings, place: str, kind: str):
    path = ticked.root / place
    obstruct(path, kind)
    done = tunelings("list")
    assert done.code == 0
    clear(path.with_name(f"{path.name}.damaged"))
    obstruct(path, kind)
    graded = ticked.grade(SQUARES)
    assert (graded.code, state(ticked)) == (0, "passed")
    assert f"{PLACES[place]}; what stood there is kept as {path.name}.damaged" in graded.output
    assert "- [x]" in (ticked.root / "STATUS.md").read_text()
    assert os.path.lexists(path.with_name(f"{path.name}.damaged"))


@pytest.mark.skipif(not can_fork(), reason="child processes are forked on Linux")
@pytest.mark.parametrize(
    "deed",
    [
        "os.remove('.tunelings/progress.json'); os.mkfifo('.tunelings/progress.json')",
        "os.remove('STATUS.md'); os.mkfifo('STATUS.md')",
        "os.truncate('.tunelings/progress.json', 10**13)",
        "os.truncate('STATUS.md', 10**13)",
        "os.remove('.tunelings/progress.json'); os.makedirs('.tunelings/progress.json')",
        "__import__('shutil').rmtree('.tunelings'); open('.tunelings', 'w').close()",
        "os.path.exists(LOCK) and os.remove(LOCK); os.makedirs(LOCK)".replace("LOCK", "'.tunelings/progress.lock'"),
    ],
)
def test_an_answer_that_puts_something_in_place_of_the_store_costs_no_tick(ticked, deed: str):
    """Its own tick and a neighbor's earlier one."""
    ticked.answer(ticked.shift, f"import os\n\n{deed}\n" + ticked.shift.solution_path.read_text())
    assert ticked.grade(SHIFT, "-k", "each_number").code == 0
    assert state(ticked) == "passed"
    assert "test_each_number_moves" in Progress(ticked.course)._read()["1.02"]["checks"]


def test_a_folder_that_cannot_be_written_is_told_and_changes_no_verdict(mini, monkeypatch):
    def read_only(*args, **options):
        raise PermissionError(13, "Permission denied")

    mini.solve(mini.squares)
    monkeypatch.setattr("tempfile.mkstemp", read_only)
    graded = mini.grade(SQUARES)
    assert graded.code == 0
    assert "The status could not be saved (Permission denied); the verdict above stands." in graded.output


# Takes the root of a course and a name; once stdin ends, records that it passed, again and again, as a run would.
RECORDER = """
import sys
from pathlib import Path
from tunelings.course import Course
from tunelings.grading.store import Progress
course = Course(Path(sys.argv[1]))
exercise = course.find(sys.argv[2])
print("ready", flush=True)
sys.stdin.read()
for n in range(int(sys.argv[3])):
    Progress(course).record(exercise, "key", {f"test_{n}": "passed"})
"""


def recorder(mini: Miniature, number: str, times: int) -> subprocess.Popen:
    command = [sys.executable, "-c", RECORDER, str(mini.root), number, str(times)]
    started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert started.stdout.readline() == "ready\n"
    return started


@POSIX
def test_a_run_that_is_killed_while_it_writes_leaves_a_whole_store(mini, capsys):
    path, written_after = Progress(mini.course).path, mini.root / "STATUS.md"
    for n in range(6):
        run = recorder(mini, "1.01", 10**6)
        run.stdin.close()
        while not written_after.exists():
            time.sleep(0.01)
        time.sleep(0.03 + n * 0.007)
        run.send_signal(signal.SIGKILL)
        run.wait()
        run.stdout.close()
        assert json.loads(path.read_text())["exercises"]["1.01"]["key"] == "key"
        assert written_after.read_text().startswith("# Status\n")
    mark_done(mini)  # The lock of a killed run is no obstacle.
    assert capsys.readouterr().err == ""


def test_two_runs_at_once_lose_nothing(mini):
    runs = [recorder(mini, number, 60) for number in ("1.01", "1.02")]
    for run in runs:
        run.stdin.close()
    for run in runs:
        assert run.wait(60) == 0
        run.stdout.close()
    stored = json.loads(Progress(mini.course).path.read_text())["exercises"]
    assert {number: len(entry["checks"]) for number, entry in stored.items()} == {"1.01": 60, "1.02": 60}


@POSIX
@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_lock_that_an_answer_of_another_run_holds_costs_no_tick(mini, capsys, monkeypatch, count: int):
    """The next lock is taken in its place; where an answer holds both, the status is saved without."""
    import fcntl

    def is_held(path: Path) -> bool:
        with path.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def write(*args) -> None:
        write_atomically(*args)
        while_written.append([is_held(path) for path in progress._locks])

    while_written: list[list[bool]] = []
    progress = Progress(mini.course)
    progress.path.parent.mkdir()
    monkeypatch.setattr(store, "PATIENCE", 0.1)
    monkeypatch.setattr(store, "write_atomically", write)
    with contextlib.ExitStack() as held:
        for path in progress._locks[:count]:
            fcntl.flock(held.enter_context(path.open("w")), fcntl.LOCK_EX)
        mark_done(mini)
    assert while_written == [[True, count > 0]]
    assert state(mini) == "passed" and capsys.readouterr().err == ""


def test_a_file_that_holds_the_text_already_is_not_written(tmp_path):
    path = tmp_path / "file"
    write_if_changed(path, "one\n")
    os.utime(path, (1, 1))
    write_if_changed(path, "one\n")
    assert path.stat().st_mtime == 1
    write_if_changed(path, "two\n")
    assert path.read_text() == "two\n"


@POSIX
def test_a_file_keeps_its_mode_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, "one\n")
    path.chmod(0o600)
    write_atomically(path, "two\n")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "\ud800")
    assert path.read_text() == "two\n" and os.listdir(tmp_path) == ["file"]
