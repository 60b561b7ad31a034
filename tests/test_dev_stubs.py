"""`dev stubs` replaces a stub in which nobody has written, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.miniature import SQUARES, Miniature
from tests.test_store import DAMAGES
from tunelings.desk import files
from tunelings.grading.stubs import cut

REFUSED = (
    "exercises/module01/ex{0}.py holds an answer and is left alone: tunelings reset {1} keeps it and writes the stub.\n"
)
RENAMED = SQUARES.replace("mean_square", "mean_of_squares")


def git(root: Path, *args: str) -> None:
    options = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *options, *args], cwd=root, check=True, capture_output=True)


@pytest.fixture
def clone(mini: Miniature) -> Miniature:
    """The small course as a fresh clone has it: committed, and without `.tunelings`."""
    git(mini.root, "init", "-q")
    commit(mini)
    return mini


def commit(mini: Miniature, *paths: str) -> None:
    git(mini.root, "add", *(paths or ["."]))
    git(mini.root, "commit", "-q", "-m", "x")


def rename_in_solution(mini: Miniature) -> None:
    mini.squares.solution_path.write_text(RENAMED, encoding="utf-8")


def test_a_new_exercises_own_stub_is_cut_again(tunelings, clone):
    tunelings("dev", "new", "1.03", "double_it")
    made = clone.course.find("1.03")
    text = made.solution_path.read_text(encoding="utf-8").replace("def double_it", "def twice")
    made.solution_path.write_text(text, encoding="utf-8")
    said = tunelings("dev", "stubs")
    assert (said.code, said.out, said.err) == (0, "", "")
    assert "def twice" in made.answer_path.read_text(encoding="utf-8")


@pytest.mark.parametrize("how", ["stubs", "reset"])
def test_a_renamed_function_is_cut_again_where_the_last_stub_is_remembered(tunelings, mini, how):
    tunelings("dev", "stubs") if how == "stubs" else tunelings("reset", "1.01")
    rename_in_solution(mini)
    assert tunelings("dev", "stubs").code == 0
    assert mini.squares.answer_path.read_text(encoding="utf-8") == cut(RENAMED)


@pytest.mark.parametrize("committed", [False, True])
def test_a_renamed_function_is_cut_again_in_a_fresh_clone(tunelings, clone, committed):
    rename_in_solution(clone)
    if committed:
        commit(clone, "solutions")
    assert tunelings("dev", "stubs").code == 0
    assert clone.squares.answer_path.read_text(encoding="utf-8") == cut(RENAMED)


@pytest.mark.parametrize("text", ["# a plan\n", "x = (\n", "\0"])
def test_what_was_written_into_a_stub_is_left_alone(tunelings, clone, text):
    answer = clone.answer(clone.squares, clone.squares.answer_path.read_text(encoding="utf-8") + text)
    before = answer.read_bytes()
    rename_in_solution(clone)
    said = tunelings("dev", "stubs")
    assert (said.code, said.out, said.err) == (1, "", REFUSED.format("01_squares", "1.01"))
    assert answer.read_bytes() == before


def test_an_answer_that_its_writer_has_committed_is_left_alone(tunelings, clone):
    answer = clone.solve(clone.squares)
    commit(clone)
    before = answer.read_bytes()
    rename_in_solution(clone)
    assert tunelings("dev", "stubs").code == 1
    assert answer.read_bytes() == before


def test_an_answer_is_left_alone_where_the_last_stub_is_remembered(tunelings, mini):
    tunelings("dev", "stubs")
    answer = mini.solve(mini.squares)
    before = answer.read_bytes()
    assert tunelings("dev", "stubs").code == 1
    assert answer.read_bytes() == before


def test_bytes_that_are_no_text_are_left_alone(tunelings, mini):
    mini.squares.answer_path.write_bytes(b"\xff\xfe")
    assert tunelings("dev", "stubs").code == 1
    assert mini.squares.answer_path.read_bytes() == b"\xff\xfe"


def test_each_refusal_is_a_line_and_the_other_stubs_are_written(tunelings, mini):
    mini.solve(mini.squares)
    mini.solve(mini.shift)
    tunelings("dev", "new", "1.03", "double_it")
    (mini.root / "exercises/module01/ex03_double_it.py").unlink()
    said = tunelings("dev", "stubs")
    assert said.code == 1
    assert said.err == REFUSED.format("01_squares", "1.01") + REFUSED.format("02_shift", "1.02")
    assert (mini.root / "exercises/module01/ex03_double_it.py").exists()


DAMAGED_STUBS = {**DAMAGES, "a number": b'{"1.01": 3}', "a list of lists": b"[[1]]"}


@pytest.mark.parametrize("damage", DAMAGED_STUBS)
def test_a_damaged_memory_of_stubs_refuses_and_is_written_anew(tunelings, mini, damage: str):
    memory = mini.root / ".tunelings" / "stubs.json"
    memory.parent.mkdir()
    memory.write_bytes(DAMAGED_STUBS[damage])
    assert tunelings("dev", "stubs").code == 0
    mini.squares.answer_path.write_text(cut(SQUARES) + "# mine\n")
    assert tunelings("dev", "stubs").code == 1


def test_stubs_are_written_where_nothing_can_be_remembered_and_git_is_missing(tunelings, mini, monkeypatch):
    (mini.root / ".tunelings").write_text("a file in place of the folder")
    monkeypatch.setenv("PATH", "")
    rename_in_solution(mini)
    assert tunelings("dev", "stubs", "1.02").code == 0
    assert tunelings("dev", "stubs", "1.01").code == 1


def test_a_new_exercise_appears_in_the_checklist(tunelings, mini):
    solution = mini.root / "solutions" / "module02" / "ex01_twice.py"
    solution.parent.mkdir()
    solution.write_text(SQUARES.replace("1.01", "2.01"), encoding="utf-8")
    tunelings("dev", "stubs", "2.01")
    assert "2.01 Twice" in (mini.root / "STATUS.md").read_text(encoding="utf-8")


def test_git_ignores_the_files_that_reset_keeps_and_no_stub(mini, tmp_path):
    mini.answer(mini.squares, "one = 1\n")
    kept = [files.reset(mini.squares)]
    mini.answer(mini.squares, "two = 2\n")
    kept.append(files.reset(mini.squares))  # within the same second: …-1.py
    git(mini.root, "init", "-q")
    shutil.copy(ROOT / ".gitignore", mini.root)
    shown = ["git", "check-ignore", *(str(path) for path in [*kept, mini.squares.answer_path])]
    done = subprocess.run(shown, cwd=mini.root, capture_output=True, text=True)
    assert done.stdout.splitlines() == [str(path) for path in kept]
