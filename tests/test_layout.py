"""A course folder: what is laid out in it, what an update changes there, and that nothing of the learner's is lost."""

from __future__ import annotations

import configparser
import errno
import json
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.miniature import Miniature, build
from tests.test_branch import GIT
from tunelings.course import MANIFEST, UNFINISHED, CourseError
from tunelings.grading import stubs
from tunelings.setup import layout

ANSWER = "exercises/module01/ex01_squares.py"
CHECK = "checks/module01/test_ex01_squares.py"
SOLUTION = "solutions/module01/ex01_squares.py"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Miniature:
    """The course as the package carries it: the small one."""
    made = build(tmp_path / "package")
    shutil.rmtree(made.root / "exercises")  # The wheel has no stubs: they are cut.
    monkeypatch.setattr(layout, "carried", lambda: made.root)
    return made


@pytest.fixture
def folder(tmp_path: Path, package: Miniature) -> Path:
    """A course folder in which everything was laid out."""
    layout.lay_out(tmp_path / "mine")
    return tmp_path / "mine"


def newer(package: Miniature, name: str = SOLUTION) -> None:
    """A newer release has another text in this file."""
    path = package.root / name
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("the shape stays", "the shape is kept") + "# newer\n", encoding="utf-8")


def write(folder: Path, name: str, text: str) -> bytes:
    (folder / name).write_text(text, encoding="utf-8")
    return (folder / name).read_bytes()


def tree(folder: Path) -> dict[str, bytes]:
    """Every file that is not the course's own memory, by its path."""
    paths = (path for path in folder.rglob("*") if path.is_file() and ".tunelings" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_everything_that_is_carried_is_laid_out_and_stubs_are_cut(folder: Path, package: Miniature):
    laid = tree(folder)
    for name in (SOLUTION, CHECK, "checks/module01/ex02_shift.toml", "docs/module01/shift.md"):
        assert laid[name] == (package.root / name).read_bytes()
    assert laid[ANSWER].decode() == stubs.cut(package.squares.solution_path.read_text(encoding="utf-8"))
    assert laid.keys() == json.loads((folder / MANIFEST).read_text())["files"].keys()
    assert layout.is_whole(folder)


def test_pytest_is_set_up_as_in_a_clone():
    ini = configparser.ConfigParser()
    ini.read_string(layout.PYTEST_INI)
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    assert ini["pytest"]["addopts"] == ours["addopts"] and ini["pytest"]["timeout"] == str(ours["timeout"])


def test_nothing_is_written_where_nothing_is_newer(folder: Path):
    before = tree(folder)
    outcome = layout.lay_out(folder)
    assert outcome == layout.Outcome() and tree(folder) == before


def test_an_update_brings_what_is_newer(folder: Path, package: Miniature):
    newer(package)
    newer(package, CHECK)
    outcome = layout.lay_out(folder)
    assert sorted(outcome.written) == sorted([SOLUTION, CHECK, ANSWER]) and not outcome.kept and not outcome.stubs
    assert "the shape is kept" in (folder / ANSWER).read_text(encoding="utf-8")


def test_an_answer_stays_and_its_newer_stub_comes_beside_it(folder: Path, package: Miniature):
    answer = write(folder, ANSWER, "def squares(x):\n    return x * x\n")
    assert layout.lay_out(folder).stubs == {}  # Nothing is newer yet.
    newer(package)
    outcome = layout.lay_out(folder)
    assert outcome.stubs == {ANSWER: "exercises/module01/ex01_squares.new.py"}
    assert (folder / ANSWER).read_bytes() == answer
    stub = stubs.cut(package.squares.solution_path.read_text(encoding="utf-8"))
    assert (folder / outcome.stubs[ANSWER]).read_text(encoding="utf-8") == stub
    assert layout.lay_out(folder).stubs == {}  # It is said once.


def test_notes_above_an_open_todo_stay_although_they_are_committed(folder: Path, package: Miniature):
    notes = "# What I know by now.\ndef helper(x):\n    return x\n\n\n"
    stub = (folder / ANSWER).read_text(encoding="utf-8")
    mine = write(folder, ANSWER, stub.replace("def squares", f"{notes}def squares"))
    assert notes.encode() in mine
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "notes"]):
        subprocess.run([*GIT, *words], cwd=folder, check=True)
    newer(package)
    outcome = layout.lay_out(folder)
    assert (folder / ANSWER).read_bytes() == mine
    assert "the shape is kept" in (folder / outcome.stubs[ANSWER]).read_text(encoding="utf-8")


def test_what_was_written_in_a_newer_stub_is_kept_when_a_still_newer_one_comes(folder: Path, package: Miniature):
    write(folder, ANSWER, "def squares(x):\n    return x * x\n")
    newer(package)
    beside = layout.lay_out(folder).stubs[ANSWER]
    newer(package)
    assert layout.lay_out(folder).kept == {}  # Nobody has written in it.
    mine = write(folder, beside, "squares = abs  # begun in the newer stub\n")
    assert layout.lay_out(folder) == layout.Outcome() and (folder / beside).read_bytes() == mine
    newer(package)
    outcome = layout.lay_out(folder)
    assert outcome.kept.keys() == {beside} and (folder / outcome.kept[beside]).read_bytes() == mine
    assert (folder / beside).read_text(encoding="utf-8").endswith("# newer\n" * 3)
    newer(package)
    assert layout.lay_out(folder).kept == {} and (folder / outcome.kept[beside]).read_bytes() == mine


def test_a_changed_check_is_kept_beside_the_newer_one(folder: Path, package: Miniature):
    mine = write(folder, CHECK, "# mine\n")
    assert layout.lay_out(folder) == layout.Outcome() and (folder / CHECK).read_bytes() == mine
    newer(package, CHECK)
    outcome = layout.lay_out(folder)
    assert (folder / CHECK).read_bytes() == (package.root / CHECK).read_bytes()
    assert (folder / outcome.kept[CHECK]).read_bytes() == mine
    # No tool takes the kept file for a check, an exercise or a page.
    assert not outcome.kept[CHECK].endswith((".py", ".toml", ".md"))


def test_what_the_course_no_longer_has_goes_unless_it_was_changed(folder: Path, package: Miniature):
    for path in (package.shift.solution_path, package.shift.check_path, package.shift.card_path):
        path.unlink()
    answer = write(folder, "exercises/module01/ex02_shift.py", "def shift(x, by=1.0):\n    return x + by\n")
    outcome = layout.lay_out(folder)
    assert len(outcome.removed) == 3 and not (folder / "solutions/module01/ex02_shift.py").exists()
    assert (folder / "exercises/module01/ex02_shift.py").read_bytes() == answer


def test_a_file_that_was_deleted_comes_back(folder: Path):
    (folder / CHECK).unlink()
    assert layout.lay_out(folder).written == [CHECK]


def test_a_damaged_manifest_loses_nothing(folder: Path, package: Miniature):
    answer, mine = write(folder, ANSWER, "squares = abs\n"), write(folder, CHECK, "# mine\n")
    (folder / MANIFEST).write_text("{", encoding="utf-8")
    outcome = layout.lay_out(folder)
    assert (folder / ANSWER).read_bytes() == answer and (folder / outcome.kept[CHECK]).read_bytes() == mine


def test_an_older_package_changes_nothing_in_a_newer_folder(folder: Path, package: Miniature, monkeypatch):
    monkeypatch.setattr(layout, "__version__", "0.0.9")
    newer(package, CHECK)
    before = tree(folder)
    with pytest.raises(CourseError, match=r"holds version \d\S*, and this is 0\.0\.9: nothing was changed"):
        layout.lay_out(folder)
    assert tree(folder) == before and layout.is_whole(folder)


class Stopped(BaseException):
    """The process is killed at this point."""


def stop_at(monkeypatch: pytest.MonkeyPatch, write: int, error: BaseException) -> None:
    """Let the file system's write number `write`, from 0, raise `error`."""
    real, count = layout.write_atomically, iter(range(1000))

    def failing(path: Path, content: str | bytes) -> None:
        if next(count) == write:
            raise error
        real(path, content)

    monkeypatch.setattr(layout, "write_atomically", failing)
    monkeypatch.setattr("tunelings.writing.write_atomically", failing)


@pytest.mark.parametrize("write_number", range(12))
def test_an_interrupted_update_goes_on(tmp_path, folder, package, monkeypatch, write_number):
    """Wherever it is stopped, the same call ends as if nothing had happened, with all that the learner wrote."""
    write(folder, ANSWER, "squares = abs\n")
    write(folder, CHECK, "# mine\n")
    shutil.copytree(folder, tmp_path / "undisturbed")
    for name in (SOLUTION, CHECK, "solutions/module01/ex02_shift.py", "docs/module01/shift.md"):
        newer(package, name)
    whole = layout.lay_out(tmp_path / "undisturbed")
    with monkeypatch.context() as patch, pytest.raises(Stopped):
        stop_at(patch, write_number, Stopped())
        layout.lay_out(folder)
        raise Stopped  # It was done before that many writes.
    assert layout.is_whole(folder) == (write_number == 0 or write_number >= 10)  # 0 is the mark itself.
    outcome = layout.lay_out(folder)
    kept = whole.kept[CHECK]
    expected, found = tree(tmp_path / "undisturbed"), tree(folder)
    assert expected.pop(kept) == b"# mine\n"
    (kept_here,) = found.keys() - expected.keys()
    assert found.pop(kept_here) == b"# mine\n" and kept_here.startswith(f"{CHECK}.")
    assert outcome.kept == ({CHECK: kept_here} if write_number < 10 else {}), "the call that ends it says where it is"
    assert found == expected and layout.is_whole(folder)


@pytest.mark.parametrize("first", [False, True], ids=["update", "first setup"])
def test_an_older_package_does_not_go_on_with_what_a_newer_one_began(folder, tmp_path, package, monkeypatch, first):
    root = tmp_path / "new" if first else folder
    newer(package)
    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(layout, "__version__", "99.1")
        stop_at(patch, 2, Stopped())  # The mark and the solution are written.
        layout.lay_out(root)
    before = tree(root)
    assert before[SOLUTION] == (package.root / SOLUTION).read_bytes()
    with pytest.raises(CourseError, match=r"^.* holds part of version 99\.1, and this is \d.*: nothing was .*$"):
        layout.lay_out(root)
    assert tree(root) == before and not layout.is_whole(root)
    monkeypatch.setattr(layout, "__version__", "99.1")
    layout.lay_out(root)
    assert layout.is_whole(root) and layout.version_of(root) == "99.1"


def test_a_full_disk_is_one_line_and_the_same_call_goes_on(tmp_path, package, monkeypatch):
    with monkeypatch.context() as patch:
        stop_at(patch, 3, OSError(errno.ENOSPC, "No space left on device"))
        with pytest.raises(CourseError) as caught:
            layout.lay_out(tmp_path / "mine")
    said = str(caught.value)
    assert "is only partly set up: No space left on device. Free about 20 MB, and run the same command again" in said
    assert "\n" not in said and (tmp_path / "mine" / UNFINISHED).exists()
    layout.lay_out(tmp_path / "mine")
    layout.lay_out(tmp_path / "undisturbed")
    assert tree(tmp_path / "mine") == tree(tmp_path / "undisturbed")


def test_a_folder_that_cannot_be_written_is_not_called_partly_set_up(folder: Path, monkeypatch):
    before = tree(folder)
    with monkeypatch.context() as patch, pytest.raises(CourseError) as caught:
        stop_at(patch, 0, PermissionError(errno.EACCES, "Permission denied"))
        layout.lay_out(folder)
    assert "can't be written (Permission denied), and nothing was changed: put that right, or" in str(caught.value)
    assert tree(folder) == before and layout.is_whole(folder)


def test_a_folder_that_stands_in_the_way_is_one_line(folder: Path, package: Miniature):
    (folder / CHECK).unlink()
    (folder / CHECK).mkdir()
    with pytest.raises(CourseError, match="is only partly set up: Is a directory .*Put that right"):
        layout.lay_out(folder)


def test_what_a_kill_left_behind_is_swept(folder: Path, package: Miniature):
    left = folder / "checks" / "module01" / f".{Path(CHECK).name}.abcd1234"
    left.write_text("half", encoding="utf-8")
    newer(package, CHECK)
    layout.lay_out(folder)
    assert not left.exists()
