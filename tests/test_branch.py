"""`tunelings dev branch`: the branch with every exercise solved, made without touching what is checked out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.miniature import SQUARES, Miniature
from tunelings.commands import branch
from tunelings.course import Course, CourseError
from tunelings.grading.store import Progress

IGNORED = "/STATUS.md\n.tunelings/\n__pycache__/\n"
GIT = ["git", "-c", "user.name=A. Teacher", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]


def git(root: Path, *args: str) -> str:
    return subprocess.run([*GIT, *args], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def clone(mini: Miniature) -> Miniature:
    """The small course as a fresh clone has it, with an answer that was begun and committed."""
    (mini.root / ".gitignore").write_text(IGNORED, encoding="utf-8")
    git(mini.root, "init", "-q", "-b", "main")
    commit(mini)
    return mini


def commit(mini: Miniature) -> str:
    git(mini.root, "add", ".")
    git(mini.root, "commit", "-q", "-m", "x", "--allow-empty")
    return git(mini.root, "rev-parse", "HEAD")


def state_of(root: Path) -> tuple[str, dict[str, bytes]]:
    files = {str(p): p.read_bytes() for p in root.rglob("*") if p.is_file() and ".git" not in p.relative_to(root).parts}
    return git(root, "status", "--porcelain", "--ignored", "--branch"), files


def test_the_branch_is_the_course_solved_and_ticked_and_made_again_is_the_same(tunelings, clone: Miniature, tmp_path):
    before = state_of(clone.root)
    said = tunelings("dev", "branch")
    assert (said.code, said.err) == (0, "")
    assert state_of(clone.root) == before, "the working tree is only read"
    made = git(clone.root, "rev-parse", "solutions")
    assert made[:12] in said.out
    assert git(clone.root, "rev-parse", "solutions^") == git(clone.root, "rev-parse", "main")
    changed = git(clone.root, "diff", "--name-only", "main", "solutions", "--").splitlines()
    answers = ["exercises/module01/ex01_squares.py", "exercises/module01/ex02_shift.py"]
    assert changed == [".tunelings/progress.json", "STATUS.md", *answers]
    assert git(clone.root, "worktree", "list").count("\n") == 0, "a worktree is left"

    git(tmp_path, "clone", "-q", "--branch", "solutions", str(clone.root), "solved")
    solved = Course(tmp_path / "solved")
    status = (solved.root / "STATUS.md").read_text(encoding="utf-8")
    ticked = ["- [x] **Module 1", "    - [x] 1.01 Squares: done", "    - [x] 1.02 Shift: done"]
    assert all(line in status for line in ticked) and "0 of" not in status
    assert Progress(solved).checklist() == status, "the first verdict there would untick a box"
    text = solved.find("1.01").answer_path.read_text(encoding="utf-8")
    assert "return x * x" in text and "SOLUTION" not in text and "TODO" not in text

    assert tunelings("dev", "branch").code == 0
    assert git(clone.root, "rev-parse", "solutions") == made, "the same commit gives the same branch"


def test_a_reference_that_fails_makes_no_branch(tunelings, clone: Miniature):
    clone.squares.solution_path.write_text(SQUARES.replace("x * x", "x + x"), encoding="utf-8")
    commit(clone)
    said = tunelings("dev", "branch")
    assert said.code == 2 and said.out == "" and said.err.count("\n") == 1
    assert "Not every check passes on the solution of 1.01, so no branch was made (" in said.err
    assert git(clone.root, "branch", "--list", "solutions") == ""
    assert git(clone.root, "worktree", "list").count("\n") == 0


def test_what_a_killed_call_has_left_is_removed_and_nothing_else(tunelings, clone: Miniature, tmp_path, monkeypatch):
    def stop(course: Course) -> None:
        raise CourseError("It was begun.")

    monkeypatch.setattr(branch, "tick", stop)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    killed, gone = (tmp_path / f"{branch.FOLDER}{ended.pid}-{letter}" / "course" for letter in "ab")
    others = [tmp_path / f"{branch.FOLDER}{os.getppid()}-c" / "course", tmp_path / "mine" / "course"]
    for folder in (killed, gone, *others):
        git(clone.root, "worktree", "add", "-q", "--detach", str(folder))
    shutil.rmtree(gone.parent)  # As after a restart of the machine.
    assert tunelings("dev", "branch").err == "It was begun.\n"
    assert not killed.parent.exists()
    left = [line.split()[0] for line in git(clone.root, "worktree", "list").splitlines()]
    assert sorted(left) == sorted(map(str, (clone.root, *others)))


def refused(tunelings, clone: Miniature, *args: str) -> str:
    """The one line that `dev branch` says; nothing is run and nothing changes."""
    before = state_of(clone.root), git(clone.root, "for-each-ref")
    said = tunelings("dev", "branch", *args)
    assert (said.code, said.out) == (2, "") and said.err.count("\n") == 1, said
    assert (state_of(clone.root), git(clone.root, "for-each-ref")) == before
    return said.err


def test_what_is_not_committed_is_refused(tunelings, clone: Miniature, monkeypatch):
    monkeypatch.setattr(branch, "tick", lambda course: pytest.fail("it was begun"))
    mine = clone.solve(clone.squares)
    assert refused(tunelings, clone).startswith("Not committed: exercises/module01/ex01_squares.py. ")
    (clone.root / "notes.txt").write_text("mine\n", encoding="utf-8")
    assert "ex01_squares.py and 1 more." in refused(tunelings, clone)
    assert mine.read_text(encoding="utf-8") == SQUARES


def test_a_branch_that_was_not_made_by_it_is_left_alone(tunelings, clone: Miniature, monkeypatch):
    monkeypatch.setattr(branch, "tick", lambda course: pytest.fail("it was begun"))
    git(clone.root, "branch", "solutions")
    assert "'solutions' holds other work and wasn't changed: --name" in refused(tunelings, clone)
    assert refused(tunelings, clone, "--name", "no..name").startswith("git check-ref-format: ")


def test_a_branch_that_is_checked_out_is_left_alone(tunelings, clone: Miniature, tmp_path, monkeypatch):
    monkeypatch.setattr(branch, "tick", lambda course: pytest.fail("it was begun"))
    git(clone.root, "commit", "-q", "--allow-empty", "-m", f"{branch.SUBJECT}0")
    git(clone.root, "branch", "solutions")
    git(clone.root, "worktree", "add", "-q", str(tmp_path / "elsewhere"), "solutions")
    assert "is checked out" in refused(tunelings, clone)


def test_where_there_is_no_clone_it_says_so(tunelings, mini: Miniature, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(mini.root.parent))
    shutil.rmtree(mini.root / ".git", ignore_errors=True)
    said = tunelings("dev", "branch")
    assert said.code == 2 and "isn't a clone with a commit" in said.err and said.err.count("\n") == 1
