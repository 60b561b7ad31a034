"""Hints, reset and restore, the reference, the editor: what the commands do with a learner's files.

Long: 33 tests, one for each way in which a file could be lost.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from tests.support.commandline import mark_done
from tests.support.miniature import Miniature
from tests.support.systems import POSIX
from tests.test_store import DAMAGES
from tunelings.course import CourseError
from tunelings.desk import editor, files
from tunelings.grading.answers import LARGEST
from tunelings.grading.stubs import uncut

# Hints.


def test_hints_rise_and_stay_at_the_last(tunelings, mini):
    hints = mini.squares.card.hints
    for level in (1, 2, 3, 3):
        said = tunelings("hint", "1.01")
        assert said.out == f"1.01 Squares · hint {level} of 3\n{hints[level - 1]}\n"


def test_each_exercise_has_its_own_place_in_its_hints(tunelings):
    told = [tunelings("hint", number).out.partition("\n")[0] for number in ("1.01", "1.02", "1.01", "1.02")]
    assert [line.partition("hint ")[2] for line in told] == ["1 of 3", "1 of 2", "2 of 3", "2 of 2"]


def test_a_level_can_be_asked_for(tunelings):
    assert "It is x * x." in tunelings("hint", "1.01", "--level", "3").out
    assert "What is three times three?" in tunelings("hint", "1.01", "--level", "1").out
    assert "hint 2 of 3" in tunelings("hint", "1.01").out


NO_LEVELS = ["many", None, float("inf"), float("nan"), -7, 0, [], True]
DAMAGED_HINTS = {**DAMAGES, **{f"the level {level}": json.dumps({"1.01": level}).encode() for level in NO_LEVELS}}


@pytest.mark.parametrize("damage", DAMAGED_HINTS)
def test_a_damaged_memory_of_hints_begins_anew(tunelings, mini, damage: str):
    (mini.root / ".tunelings").mkdir()
    (mini.root / ".tunelings" / "hints.json").write_bytes(DAMAGED_HINTS[damage])
    assert "hint 1 of 3" in tunelings("hint", "1.01").out
    assert json.loads((mini.root / ".tunelings" / "hints.json").read_text())["1.01"] == 1


def test_a_hint_is_shown_where_nothing_can_be_remembered(tunelings, mini):
    (mini.root / ".tunelings").write_text("a file in place of the folder")
    assert "hint 1 of 3" in tunelings("hint", "1.01").out


# Reset and restore.


def kept_files(mini: Miniature) -> list[Path]:
    """In the order of their names; those of one second end in -1, -2, …"""
    return sorted(set(mini.squares.answer_path.parent.glob("ex01*")) - {mini.squares.answer_path}, key=lambda p: p.stem)


def test_reset_keeps_a_dated_copy_and_restore_brings_it_back_twice(tunelings, mini):
    path = mini.squares.answer_path
    stub = path.read_text()
    mini.answer(mini.squares, "mine = 1\n")
    said = tunelings("reset", "1.01")
    (kept,) = kept_files(mini)
    assert re.fullmatch(r"ex01_squares\.\d{4}-\d\d-\d\d-\d{6}\.py", kept.name)
    shown = f"exercises/module01/{kept.name}"
    assert said.out == f"exercises/module01/ex01_squares.py is the stub again. Your file is kept as {shown}.\n"
    assert (path.read_text(), kept.read_text()) == (stub, "mine = 1\n")
    for _ in range(2):
        said = tunelings("reset", "1.01", "--restore")
        assert said.out == f"exercises/module01/ex01_squares.py has been restored from {shown}.\n"
        assert path.read_text() == "mine = 1\n"
    assert kept_files(mini) == [kept]


def test_nothing_that_was_written_is_lost_between_resets(tunelings, mini):
    for text in ("one = 1\n", "two = 2\n", "three = 3\n"):
        mini.answer(mini.squares, text)
        tunelings("reset", "1.01")
    mini.answer(mini.squares, "four = 4\n")
    tunelings("reset", "1.01", "--restore")
    assert mini.squares.answer_path.read_text() == "three = 3\n"
    assert {path.read_text() for path in kept_files(mini)} == {"one = 1\n", "two = 2\n", "three = 3\n", "four = 4\n"}


def test_a_text_that_comes_again_is_the_newest_again(tunelings, mini):
    for text in ("one = 1\n", "two = 2\n", "one = 1\n", "one = 1\n"):
        mini.answer(mini.squares, text)
        tunelings("reset", "1.01")
    assert [path.read_text() for path in kept_files(mini)] == ["one = 1\n", "two = 2\n", "one = 1\n"]
    tunelings("reset", "1.01", "--restore")
    assert mini.squares.answer_path.read_text() == "one = 1\n"


def test_a_reset_of_an_untouched_stub_keeps_nothing(tunelings, mini):
    assert tunelings("reset", "1.01").out == "exercises/module01/ex01_squares.py is the stub again.\n"
    assert kept_files(mini) == []


def test_a_reset_brings_a_missing_file_back(tunelings, mini):
    stub = mini.squares.answer_path.read_text()
    mini.squares.answer_path.unlink()
    mini.squares.answer_path.parent.rename(mini.root / "moved")
    assert tunelings("reset", "1.01").code == 0
    assert mini.squares.answer_path.read_text() == stub


@pytest.mark.parametrize("kind", ["a folder", pytest.param("a pipe", marks=POSIX)])
def test_a_reset_sets_aside_what_is_no_file(tunelings, mini, kind: str):
    path = mini.squares.answer_path
    stub = path.read_text()
    path.unlink()
    if kind == "a folder":
        path.mkdir()
        (path / "mine.py").write_text("mine = 1")
    else:
        os.mkfifo(path)
    said = tunelings("reset", "1.01")
    assert (said.code, path.read_text()) == (0, stub)
    assert said.out.endswith(" Your file is kept as exercises/module01/ex01_squares.py.damaged.\n")
    assert kind == "a pipe" or path.with_name("ex01_squares.py.damaged").joinpath("mine.py").exists()


def test_a_reset_keeps_a_file_that_is_too_large_to_be_read_whole(mini, monkeypatch):
    path = mini.answer(mini.squares, "#" * (LARGEST + 1))
    monkeypatch.setattr(Path, "read_bytes", None)
    assert files.reset(mini.squares) == kept_files(mini)[0]
    assert kept_files(mini)[0].stat().st_size == LARGEST + 1 and path.stat().st_size < LARGEST


@contextlib.contextmanager
def full_disk(room: int = 4):
    """No file can grow beyond so many bytes: a write fails half way, as on a disk that is full."""
    resource = pytest.importorskip("resource", reason="limits of a process are for POSIX")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def enlarge(path: Path) -> None:
    """Make it a file of ten terabytes, with nothing in them."""
    with path.open("a") as file:
        file.truncate(10**13)


@POSIX  # Elsewhere such a file would take its room on the disk.
@pytest.mark.parametrize("links", [True, False])
def test_a_file_of_terabytes_with_nothing_in_it_is_kept_without_being_copied(tunelings, mini, monkeypatch, links: bool):
    if not links:
        monkeypatch.setattr(os, "link", unsupported)
    path = mini.answer(mini.squares, "mine = 1\n")
    enlarge(path)
    with full_disk(room=LARGEST):
        assert "Your file is kept as" in tunelings("reset", "1.01").out
    (kept,) = kept_files(mini)
    assert "TODO" in path.read_text() and kept.stat().st_size == 10**13 and kept.stat().st_blocks < 100
    with full_disk(room=LARGEST):
        assert tunelings("reset", "1.01", "--restore").code == 0
    assert path.stat().st_size == 10**13 and path.stat().st_blocks < 100
    with path.open() as file:
        assert file.readline() == "mine = 1\n"


def unsupported(*args, **options):
    raise PermissionError(1, "Operation not permitted")


@POSIX
def test_a_kept_file_of_terabytes_is_never_read(tunelings, mini):
    path = mini.answer(mini.squares, "mine = 1\n")
    enlarge(path.with_name("ex01_squares.2000-01-01-000000.py"))
    for command, content in ((["reset", "1.01"], "TODO"), (["reset", "1.01", "--restore"], "mine = 1\n")):
        assert tunelings(*command).code == 0
        assert content in path.read_text()
    mini.answer(mini.squares, "two = 2\n")
    kept_files(mini)[-1].unlink()
    assert tunelings("reset", "1.01", "--restore").code == 0
    assert path.stat().st_size == 10**13 and [kept.read_text() for kept in kept_files(mini)] == ["two = 2\n"]


@POSIX
def test_a_link_to_a_file_that_is_too_large_to_be_copied_is_kept_itself(tunelings, mini, tmp_path):
    path, mine = mini.squares.answer_path, tmp_path / "mine.py"
    enlarge(mine)
    path.unlink()
    path.symlink_to(mine)
    with full_disk(room=LARGEST):
        assert tunelings("reset", "1.01").code == 0
    (kept,) = kept_files(mini)
    assert "TODO" in path.read_text() and kept.readlink() == mine and mine.stat().st_size == 10**13
    with full_disk(room=LARGEST):
        assert tunelings("reset", "1.01", "--restore").code == 0
    assert path.readlink() == mine


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("content", ["mine = 1\n", "#" * (LARGEST + 1)], ids=["small", "large"])
def test_a_reset_on_a_full_disk_leaves_the_file_and_nothing_beside_it(mini, monkeypatch, content: str, links: bool):
    if not links:
        monkeypatch.setattr(os, "link", unsupported)
    path = mini.answer(mini.squares, content)
    with full_disk(), pytest.raises(CourseError, match="couldn't be reset and is unchanged: File too large"):
        files.reset(mini.squares)
    assert path.read_text() == content and len(list(path.parent.iterdir())) == 2


def test_a_reset_on_a_full_disk_leaves_a_folder_in_place_of_the_file(mini):
    path = mini.squares.answer_path
    path.unlink()
    path.mkdir()
    with full_disk(), pytest.raises(CourseError, match="couldn't be reset and is unchanged: File too large"):
        files.reset(mini.squares)
    assert path.is_dir() and len(list(path.parent.iterdir())) == 2


def test_a_restore_on_a_full_disk_leaves_the_file(mini):
    path = mini.answer(mini.squares, "mine = 1\n")
    files.reset(mini.squares)
    stub = path.read_text()
    with full_disk(), pytest.raises(CourseError, match="couldn't be restored and is unchanged: File too large"):
        files.restore(mini.squares)
    assert path.read_text() == stub and len(list(path.parent.iterdir())) == 3


def test_an_empty_copy_of_an_earlier_reset_is_not_brought_back_and_none_is_made(tunelings, mini):
    path = mini.answer(mini.squares, "mine = 1\n")
    tunelings("reset", "1.01")
    path.with_name("ex01_squares.2999-01-01-000000.py").write_bytes(b"")
    assert tunelings("reset", "1.01", "--restore").code == 0
    assert path.read_text() == "mine = 1\n"
    path.write_text("")
    assert tunelings("reset", "1.01").out == "exercises/module01/ex01_squares.py is the stub again.\n"


@pytest.mark.parametrize("clock", [[5, 4, 3], [1, 1, 1], [10, 9, 10]], ids=["runs back", "stands still", "jumps"])
def test_what_was_kept_last_is_brought_back_whatever_the_clock_said(mini, monkeypatch, clock):
    hours = iter(clock)

    class Clock:
        @staticmethod
        def now() -> datetime:
            return datetime(2026, 11, 29, next(hours))

    monkeypatch.setattr(files, "datetime", Clock)
    texts = [f"mine = {n}\n" for n in range(3)]
    for text in texts:
        mini.answer(mini.squares, text)
        files.reset(mini.squares)
    assert [path.read_text() for path in files.backups(mini.squares)] == texts
    files.restore(mini.squares)
    assert mini.squares.answer_path.read_text() == texts[-1]


def test_more_files_than_ten_in_a_second_keep_their_order_and_none_is_written_over(mini, monkeypatch):
    class Clock:
        @staticmethod
        def now() -> datetime:
            return datetime(2026, 11, 29)

    monkeypatch.setattr(files, "datetime", Clock)
    texts = [f"mine = {n}\n" for n in range(120)]
    for text in texts:
        mini.answer(mini.squares, text)
        files.reset(mini.squares)
    assert [path.read_text() for path in files.backups(mini.squares)] == texts


@POSIX
def test_a_link_to_a_kept_file_is_reset_and_restored_without_a_loss(tunelings, mini):
    path = mini.answer(mini.squares, "mine = 1\n")
    tunelings("reset", "1.01")
    (kept,) = kept_files(mini)
    for command in (["reset", "1.01", "--restore"], ["reset", "1.01"]):
        path.unlink()
        path.symlink_to(kept)
        assert tunelings(*command).code == 0
        assert kept.read_text() == "mine = 1\n" and not path.is_symlink()


@POSIX
def test_a_reset_of_a_link_keeps_its_content_and_leaves_its_file(tunelings, mini, tmp_path):
    mine, path = tmp_path / "mine.py", mini.squares.answer_path
    mine.write_text("mine = 1\n")
    path.unlink()
    path.symlink_to(mine)
    assert "Your file is kept as" in tunelings("reset", "1.01").out
    assert "TODO" in path.read_text() and mine.read_text() == "mine = 1\n"
    assert [kept.read_text() for kept in kept_files(mini)] == ["mine = 1\n"]


def test_a_solution_without_a_stub_resets_nothing(tunelings, mini):
    mini.answer(mini.squares, "mine = 1\n")
    mini.squares.solution_path.write_text("# BEGIN SOLUTION\n")
    said = tunelings("reset", "1.01")
    assert said.code == 2 and said.err.startswith("solutions/module01/ex01_squares.py gives no stub: the last BEGIN")
    assert mini.squares.answer_path.read_text() == "mine = 1\n"


def test_kept_files_are_no_exercises(tunelings, mini):
    mini.answer(mini.squares, "mine = 1\n")
    tunelings("reset", "1.01")
    assert tunelings("list").out.count("1.0") == 2


# The reference and the editor.


def test_the_reference_is_shown_when_asked_for_twice_or_when_done(tunelings, mini):
    said = tunelings("solution", "1.01")
    assert (said.code, said.out) == (2, "")
    assert said.err == "1.01 isn't done yet: pass --yes to show the reference anyway.\n"
    said = tunelings("solution", "1.01", "--yes")
    assert said.code == 0
    assert '-    raise NotImplementedError("TODO")' in said.out and "+    return x * x" in said.out
    assert "SOLUTION" not in said.out


def test_the_reference_of_a_done_exercise_needs_no_yes(tunelings, mini):
    mark_done(mini)
    mini.answer(mini.squares, mini.squares.solution_path.read_text())
    assert "    # BEGIN SOLUTION" in tunelings("solution", "1.01").out


def test_an_answer_that_is_the_reference_has_no_difference(tunelings, mini):
    mini.answer(mini.squares, uncut(mini.squares.solution_path.read_text()))
    assert tunelings("solution", "1.01", "-y").out == "Your answer is the reference, word for word.\n"


def test_the_reference_is_shown_beside_a_missing_answer(tunelings, mini):
    mini.squares.answer_path.unlink()
    assert "+    return x * x" in tunelings("solution", "1.01", "-y").out


@POSIX
def test_open_starts_the_editor_on_the_file(tunelings, mini, monkeypatch):
    editor = mini.root / "my editor"
    editor.write_text(
        f"#!{sys.executable}\nimport sys\nopen(sys.argv[-1], 'a').write(f'# {{sys.argv[1:-1]}}')\nsys.exit(3)\n"
    )
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    assert tunelings("open", "1.01").code == 3
    monkeypatch.setenv("VISUAL", f"'{editor}' --wait")
    assert tunelings("open", "1.01").code == 3
    assert mini.squares.answer_path.read_text().endswith("# []# ['--wait']")


@POSIX
def test_ctrl_c_is_the_editors_while_one_is_open(mini, monkeypatch):
    handlers = []

    def run(command: list[str]) -> subprocess.CompletedProcess:
        handlers.append(signal.getsignal(signal.SIGINT))
        signal.raise_signal(signal.SIGINT)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("subprocess.run", run)
    monkeypatch.setenv("EDITOR", sys.executable)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert editor.edit(mini.squares) == 0
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    except KeyboardInterrupt:
        pytest.fail("it ends what opened the editor")
    finally:
        signal.signal(signal.SIGINT, before)
    assert handlers != [signal.SIG_IGN], "the editor would have that, too"


@pytest.mark.parametrize(
    ("value", "command"),
    [
        (r"C:\Tools\vim.exe -f", [r"C:\Tools\vim.exe", "-f"]),
        (r'"C:\Program Files\Vim\vim.exe" -f', [r"C:\Program Files\Vim\vim.exe", "-f"]),
        (r"'C:\Program Files\Vim\vim.exe'", [r"C:\Program Files\Vim\vim.exe"]),
        ("code --wait", ["code", "--wait"]),
    ],
)
def test_an_editor_on_windows_keeps_its_backslashes(tunelings, monkeypatch, value, command):
    started = []
    monkeypatch.setenv("EDITOR", value)
    with monkeypatch.context() as on_windows:
        on_windows.setattr("shutil.which", lambda name: name)
        on_windows.setattr("subprocess.run", lambda line: started.append(line) or subprocess.CompletedProcess(line, 0))
        on_windows.setattr(sys, "platform", "win32")
        assert tunelings("open", "1.01").code == 0
    assert started[0][:-1] == command


def test_open_without_an_editor_or_file_says_what_to_do(tunelings, mini, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    said = tunelings("open", "1.01")
    assert (said.code, said.err.partition(":")[0]) == (2, "No editor is configured")
    monkeypatch.setenv("EDITOR", "no-such-editor")
    assert tunelings("open", "1.01").err == "The editor 'no-such-editor' (from VISUAL or EDITOR) is not installed.\n"
    mini.squares.answer_path.unlink()
    said = tunelings("open", "1.01")
    assert said.err == "exercises/module01/ex01_squares.py is missing: tunelings reset 1.01 brings it back.\n"
