"""A tick stands for checks that passed on this answer, this check and this card."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from tests.support.commandline import mark_done
from tests.support.miniature import ROOT, Miniature
from tunelings.grading.store import Progress, content_hash

SQUARES = "checks/module01/test_ex01_squares.py"

EMPTY = """\
# Status

Boxes tick as checks pass: `pytest checks/module01`, or `tunelings`.

This file is rewritten after each verdict, and git ignores it, so that it never gets in the way of a pull.
What you add here is overwritten: keep notes in another file.

- [ ] **Module 1 · Training fundamentals** (0 of 2)
    - [ ] 1.01 Squares
    - [ ] 1.02 Shift
- [ ] **Module 2 · Fine-tuning basics** (no exercises yet)
- [ ] **Module 3 · LoRA and QLoRA** (no exercises yet)
- [ ] **Module 4 · Dataset preparation** (no exercises yet)
- [ ] **Module 5 · Evaluation and choosing an approach** (no exercises yet)
"""
HALF = EMPTY.replace("(0 of 2)", "(1 of 2)").replace("[ ] 1.01 Squares", "[x] 1.01 Squares: done")
WHOLE = HALF.replace("(1 of 2)", "(2 of 2)").replace("[ ] 1.02 Shift", "[x] 1.02 Shift: done")
WHOLE = WHOLE.replace("- [ ] **Module 1", "- [x] **Module 1")
BEGUN = EMPTY.replace("[ ] 1.01 Squares", "[ ] 1.01 Squares: in progress")


def status(mini: Miniature) -> str:
    """STATUS.md as it is, compared with what would be written now."""
    kept = Progress(mini.course)
    text = kept.status_path.read_text(encoding="utf-8")
    assert text == kept.checklist()
    return text


def state(mini: Miniature) -> str:
    """The state of 1.01, as a run that begins now reads it."""
    return Progress(mini.course).state(mini.squares)


@pytest.fixture
def ticked(mini: Miniature) -> Miniature:
    mark_done(mini)
    assert status(mini) == HALF
    return mini


def test_the_list_ticks_as_checks_pass(mini):
    mini.grade()
    assert status(mini) == EMPTY
    mini.solve(mini.squares)
    mini.grade()
    assert status(mini) == HALF
    mini.solve(mini.shift)
    mini.grade()
    assert status(mini) == WHOLE


def test_a_tick_is_no_change_to_commit_and_no_obstacle_to_a_pull(mini):
    def git(*args: str) -> str:
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", *args]
        return subprocess.run(command, cwd=mini.root, check=True, capture_output=True, text=True).stdout

    shutil.copy(ROOT / ".gitignore", mini.root)
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "course")
    mark_done(mini)
    assert status(mini) == HALF
    assert (
        git("status", "--porcelain", "exercises", "STATUS.md", ".tunelings")
        == " M exercises/module01/ex01_squares.py\n"
    )
    assert "STATUS.md" not in git("ls-files") and not (ROOT / "STATUS.md").is_symlink()


def test_a_full_run_is_not_needed_for_a_tick(mini):
    mini.solve(mini.shift)
    graded = mini.grade("-k", "shift")
    assert graded.states["test_a_gpu_gives_the_same"] == "skipped"
    assert Progress(mini.course).state(mini.shift) == "passed"


def test_partial_runs_add_up_to_a_tick(mini):
    mini.solve(mini.squares)
    for name in ("each_number_is", "matrix", "mean"):
        mini.grade(SQUARES, "-k", name)
        assert status(mini) == BEGUN
    mini.grade(SQUARES, "-k", "any_numbers")
    assert status(mini) == HALF


def test_partial_runs_on_two_versions_of_an_answer_do_not_add_up(mini):
    mini.solve(mini.squares)
    mini.grade(SQUARES, "-k", "not any_numbers")
    path = mini.squares.answer_path
    path.write_text(path.read_text() + "\n# edited\n")
    mini.grade(SQUARES, "-k", "any_numbers")
    assert status(mini) == BEGUN


def test_a_run_that_fails_takes_the_tick_away(ticked):
    Progress(ticked.course).record(
        ticked.squares, content_hash(ticked.squares), {"test_a_matrix_keeps_its_shape": "failed"}
    )
    assert status(ticked) == BEGUN


@pytest.mark.parametrize("path", ["answer_path", "check_path", "card_path"])
def test_an_edit_takes_the_tick_away_and_taking_it_back_brings_it_again(ticked, path):
    file = getattr(ticked.squares, path)
    before = file.read_bytes()
    file.write_bytes(before + b"\n# edited\n")
    Progress(ticked.course).refresh()
    assert status(ticked) == BEGUN
    file.write_bytes(before)
    assert state(ticked) == "passed"


def test_an_edit_of_another_exercise_leaves_the_tick(ticked):
    ticked.solve(ticked.shift)
    assert state(ticked) == "passed"


def test_a_check_that_is_new_must_pass_too(ticked):
    stored = json.loads(Progress(ticked.course).path.read_text())
    del stored["exercises"]["1.01"]["checks"]["test_any_numbers_will_do"]
    Progress(ticked.course).path.write_text(json.dumps(stored))
    assert state(ticked) == "in progress"


@pytest.mark.parametrize("args", [("--answers", "solutions"), ("--seed", "3")])
def test_other_answers_and_other_seeds_change_no_status(mini, args):
    mini.solve(mini.squares)
    mini.grade(SQUARES, *args)
    assert not Progress(mini.course).path.exists() and not (mini.root / "STATUS.md").exists()
    assert state(mini) == "in progress"


def test_the_learners_folder_by_another_name_is_still_the_learners(mini):
    mini.solve(mini.squares)
    mini.grade(SQUARES, "--answers", "./exercises")
    assert state(mini) == "passed"


def test_a_missing_answer_is_not_started_and_has_no_key(ticked):
    ticked.squares.answer_path.unlink()
    assert content_hash(ticked.squares) == ""
    assert state(ticked) == "not started"
    graded = ticked.grade(SQUARES)
    assert graded.code == 1
    assert "the file is missing; `tunelings reset` brings the stub back" in graded.text()


def test_a_missing_store_entry_of_an_older_course_does_no_harm(ticked):
    stored = json.loads(Progress(ticked.course).path.read_text())
    stored["exercises"]["9.99"] = {"key": "of an exercise that is gone", "checks": {}}
    Progress(ticked.course).path.write_text(json.dumps(stored))
    assert state(ticked) == "passed"
    mark_done(ticked)
    assert "9.99" in json.loads(Progress(ticked.course).path.read_text())["exercises"]


@pytest.mark.parametrize("text, expected", [("def f(:\n", "in progress"), ("\0", "in progress"), ("", "in progress")])
def test_an_answer_that_is_broken_is_in_progress(mini, text, expected):
    mini.answer(mini.squares, text)
    assert state(mini) == expected


def test_an_answer_that_is_no_utf_8_is_in_progress(mini):
    mini.squares.answer_path.write_bytes(b"\xff\xfe")
    assert state(mini) == "in progress"


def test_the_next_exercise_is_the_first_that_is_not_done(ticked):
    assert Progress(ticked.course).next_exercise().number == "1.02"
