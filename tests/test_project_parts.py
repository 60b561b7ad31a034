"""Whose code runs in a project, and what is said when it fails."""

from __future__ import annotations

import sys

import psutil
import pytest

from tests.conftest import COURSE, ROOT
from tests.support.projects import Heard, course_with, project, reference, rows, tunelings
from tests.support.systems import POSIX
from tunelings.project import child, steps
from tunelings.project import folder as files
from tunelings.project.errors import PartError, ProjectError
from tunelings.project.parts import Parts, counted

# Kept right answers that are written in other ways than the references. 4.06 and 5.06 are not among them: which rows
# their generators draw is free, so that another right answer splits and resamples in another way.
VARIANTS = ("1.07", "1.09", "2.05", "2.06", "3.08", "4.01", "4.03", "4.04", "4.09")


def variant(number: str) -> str:
    exercise = COURSE.find(number)
    folder = ROOT / "tests" / "answers" / "right" / exercise.module / exercise.name
    return sorted(folder.glob("*.py"))[0].read_text(encoding="utf-8")


def test_a_done_exercise_brings_the_learners_file_and_another_one_the_reference(tmp_path):
    course = course_with(tmp_path, {"4.04": variant("4.04")})
    parts = Parts(course)
    assert parts["4.04"].__file__ == str(course.find("4.04").answer_path)
    assert parts["4.06"].__file__ == str(course.find("4.06").solution_path)
    assert counted(parts.used) == "your code: 1 of 2 parts"
    course.find("4.04").answer_path.write_text(reference("4.04") + "# changed since", encoding="utf-8")
    assert not Parts(course).choice("4.04").is_mine, "what has changed since its checks passed is not done"


def test_mine_refuses_a_reference_and_says_what_to_do(tmp_path):
    parts = Parts(course_with(tmp_path, {"4.04": variant("4.04")}), mine=True)
    assert parts["4.04"]
    with pytest.raises(ProjectError, match="--mine: 4.06 Split data is not done yet; `tunelings run 4.06` checks it."):
        parts["4.06"]


def test_a_part_that_raises_is_named_with_its_line(tmp_path):
    text = reference("4.09").replace("    # BEGIN SOLUTION", "    raise KeyError('mine')\n    # BEGIN SOLUTION")
    course = course_with(tmp_path, {"4.09": text})
    line = text.splitlines().index("    raise KeyError('mine')") + 1
    parts = Parts(course)
    with pytest.raises(KeyError) as error:
        with parts.using("4.09") as leaks:
            leaks.contaminated(["a"], ["b"])
    code, said = child.ended(error.value, parts, files.Folder(tmp_path), "data")
    assert code == 1
    assert (
        said.startswith("your 4.09 Contamination (") and f"ex09_contamination.py, line {line}) raises KeyError" in said
    )


def test_a_part_that_returns_nonsense_is_named(tmp_path):
    text = "def contaminated(train, test, n=13):\n    return None\n"
    parts = Parts(course_with(tmp_path, {"4.09": text}))
    with pytest.raises(TypeError) as error:
        with parts.using("4.09") as leaks:
            sorted(leaks.contaminated(["a"], ["b"]))
    code, said = child.ended(error.value, parts, files.Folder(tmp_path), "data")
    assert (
        code == 1 and said.startswith("What your 4.09 Contamination (") and "returns can't be used: TypeError" in said
    )


def test_an_error_of_our_own_is_put_down_to_no_part():
    parts = Parts(COURSE)
    assert parts["4.09"] and parts.blame(ValueError("ours")) is None


def test_a_part_that_does_not_load_is_named(tmp_path):
    parts = Parts(course_with(tmp_path, {"4.09": "import no_such_package\n"}))
    with pytest.raises(PartError, match="your 4.09 Contamination does not load: line 1: .*no_such_package"):
        parts["4.09"]


def test_right_answers_that_are_written_in_another_way_give_the_same_training(tmp_path):
    """Nine of the parts are kept variants: the same rows, the same losses up to rounding."""
    (tmp_path / "p").mkdir()
    folder = project(tmp_path / "p", rows(90))
    results = []
    for course in (COURSE, course_with(tmp_path, {number: variant(number) for number in VARIANTS})):
        parts = []
        for step in ("data", "train"):
            parts.append(Parts(course))
            child.run(folder, step, parts[-1], Heard())
        curves = list(files.lines(folder.done("train") / "curves.jsonl"))
        results.append((folder.result("data"), curves, [one.used for one in parts]))
        files.write(folder.done("train") / "result.json", "{}")
    (data, curves, _), (own_data, own_curves, used) = results
    assert {number for part in used for number in part if part[number]["mine"]} == set(VARIANTS)
    ignored = ("parts", "wall_seconds")
    assert {k: v for k, v in data.items() if k not in ignored} == {
        k: v for k, v in own_data.items() if k not in ignored
    }
    assert len(curves) == len(own_curves)
    for row, own in zip(curves, own_curves, strict=True):
        measured = row.keys() - {"seconds", "stops"}
        assert {name: own[name] for name in measured} == pytest.approx({name: row[name] for name in measured}, rel=1e-4)


@POSIX
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process adopt orphans")
@pytest.mark.parametrize("then", ["pass", "os.kill(os.getpid(), 9)"], ids=["ends", "killed"])
def test_what_an_answer_starts_ends_with_its_step(tmp_path, then):
    mark = str(tmp_path)
    started = f"[sys.executable, '-c', 'import time; time.sleep(600)', {mark!r}], start_new_session=True"
    daemon = f"import subprocess, os, sys\nsubprocess.Popen({started})\n"
    text = reference("4.09").replace("    # BEGIN SOLUTION", f"    {then}\n    # BEGIN SOLUTION", 1)
    course = course_with(tmp_path / "course", {"4.09": text.replace("\n\n\n", f"\n{daemon}\n\n", 1)})
    (tmp_path / "p").mkdir()
    files.write_lines(tmp_path / "p" / "data.jsonl", rows(60))
    done = tunelings("project", "new", str(tmp_path / "p" / "x"), "--data", str(tmp_path / "p" / "data.jsonl"),
                     "--model", "tiny", "--steps", "2", at=course.root)  # fmt: skip
    assert (done.returncode == 0) == (then == "pass"), done.stderr
    left = [one for one in psutil.process_iter(["cmdline"]) if mark in (one.info["cmdline"] or [])]
    assert not left


def test_a_step_that_references_have_made_is_not_done_for_mine(tmp_path):
    folder = files.Folder(tmp_path)
    folder.begin("data", "key")
    folder.finish("data", {"key": "key", "parts": {"4.04": {"mine": True}, "4.06": {"mine": False}}})
    assert steps.is_done(folder, "data", "key") and not steps.is_done(folder, "data", "key", mine=True)
    assert not steps.is_done(folder, "data", "another key")


def test_a_run_that_goes_on_counts_the_parts_of_the_run_that_was_killed(tmp_path):
    course = course_with(tmp_path / "course", {"4.04": variant("4.04")})
    first, second = Parts(course), Parts(course)
    first.keep_record(tmp_path / "parts.json")
    assert first["4.04"] and first["4.06"]
    second.keep_record(tmp_path / "parts.json")
    assert second["4.09"] and counted(second.used) == "your code: 1 of 3 parts"


def test_mine_does_not_go_on_with_what_references_have_begun(tmp_path):
    folder = files.Folder(tmp_path)
    (folder.begin("train", "key") / "checkpoint.pt").touch()
    assert (folder.begin("train", "key") / "checkpoint.pt").exists()
    assert not (folder.begin("train", "key mine") / "checkpoint.pt").exists()
