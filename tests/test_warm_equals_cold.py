"""The watch loop's verdicts and texts are those of a fresh pytest, for every kept answer of every exercise."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.conftest import COURSE, ROOT
from tests.support.gates import NAMED
from tests.support.warm import ask, text_of, verdicts, wait_until_warm
from tunelings.course import Course, Exercise
from tunelings.grading import stubs
from tunelings.grading.text import WIDTH, fitted
from tunelings.watch.pool import Pool

QUICK = [exercise for exercise in COURSE.exercises if exercise.number in NAMED]


def kept_texts(exercise: Exercise) -> list[str]:
    """The stub, the solution, then the variants and the wrong answers."""
    solution = exercise.solution_path.read_text(encoding="utf-8")
    folders = [ROOT / "tests" / "answers" / tree / exercise.module / exercise.name for tree in ("right", "wrong")]
    files = [path.read_text(encoding="utf-8") for folder in folders for path in sorted(folder.glob("*.py"))]
    return [stubs.cut(solution), solution, *files]


def cold_verdicts(course: Course, exercises: list[Exercise], tmp_path: Path) -> dict[str, tuple[dict[str, str], str]]:
    """Exercise name -> the outcome of each check and the first failure's text, of a pytest process."""
    report = tmp_path / "report.xml"
    files = [str(exercise.check_path) for exercise in exercises]
    command = [sys.executable, "-m", "pytest", *files, "-q", f"--junitxml={report}", "-c", "pyproject.toml"]
    subprocess.run(command, cwd=course.root, stdout=subprocess.DEVNULL, timeout=1200)
    found: dict[str, tuple[dict[str, str], str]] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = case.get("classname").rpartition(".")[2].removeprefix("test_")
        checks, text = found.get(name, ({}, ""))
        failure = case.find("failure")
        if case.find("skipped") is None:
            checks[case.get("name")] = "passed" if failure is None else "failed"
        found[name] = (checks, text or (failure.text if failure is not None else ""))
    return found


def compare(course: Course, pool: Pool, texts: dict[str, str], tmp_path: Path) -> list[str]:
    """Exercise numbers whose warm and cold verdicts differ, when the answers are `texts`."""
    exercises = [course.find(number) for number in texts]
    for exercise in exercises:
        exercise.answer_path.write_text(texts[exercise.number], encoding="utf-8")
    cold = cold_verdicts(course, exercises, tmp_path)
    different = []
    for exercise in exercises:
        (warm,) = verdicts(ask(pool, exercise))
        checks, text = cold[exercise.name]
        failed = {name for name, status in checks.items() if status == "failed"}
        warm_failed = {name for name, status in warm.checks.items() if status != "passed"}
        same_checks = warm.state == "not started" or failed == warm_failed
        if not same_checks or fitted(text_of(warm), WIDTH) != text:
            different.append(f"{exercise.number}\ncold: {text}\nwarm: {text_of(warm)}")
    return different


def check_rounds(course: Course, rounds: list[dict[str, str]], tmp_path: Path) -> None:
    """Compare round by round; each gives exercises, by number, the text of an answer."""
    pool = Pool(course)
    try:
        wait_until_warm(pool, course.exercises[0])
        different = [line for texts in rounds for line in compare(course, pool, texts, tmp_path)]
    finally:
        pool.close()
    assert different == []


@pytest.mark.timeout(1800)  # Every check of these exercises, cold and warm.
def test_an_answer_of_every_fourth_quick_exercise_gets_the_same_verdict_warm_and_cold(
    course_copy: Course, tmp_path, monkeypatch
):
    """A stub here, a wrong answer there: all kept answers are in the sweep."""
    monkeypatch.chdir(course_copy.root)  # Texts name files as they are seen from here.
    texts = {exercise.number: kept_texts(exercise)[place * 5] for place, exercise in enumerate(QUICK[::4])}
    check_rounds(course_copy, [texts], tmp_path)


@pytest.mark.sweep
@pytest.mark.timeout(7200)
def test_every_kept_answer_gets_the_same_verdict_warm_and_cold(course_copy: Course, tmp_path, monkeypatch):
    monkeypatch.chdir(course_copy.root)
    kept = {exercise.number: kept_texts(exercise) for exercise in COURSE.exercises}
    rounds = [
        {number: texts[turn] for number, texts in kept.items() if turn < len(texts)}
        for turn in range(max(map(len, kept.values())))
    ]
    check_rounds(course_copy, rounds, tmp_path)
