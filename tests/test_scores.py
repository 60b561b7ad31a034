"""What the site shows of the course's files."""

from __future__ import annotations

import json

from tests.conftest import COURSE, ROOT
from tunelings import pages
from tunelings.course import MODULES

COUNTED = {
    "checks": 3,
    "mistakes": 5,
    "forms": 7,
    "variants": 3,
    "wrong": 6,
    "named": 5,
    "misnamed": 0,
    "leave_one_out": 0,
}
MEASURED = {"key": "0", "mutants": 1200, "survivors": 0}
KEPT = ("right", "wrong")
KEYS = {f"1.0{i}": "0" for i in range(9)}  # by number, the code as it is now


def scores_of(tmp_path, *mutations: dict) -> list[str]:
    """The line of the first module, with an exercise for each of these results of the mutants."""
    module = next(iter(MODULES))
    entries = {f"1.0{i}": {**COUNTED, "module": module, "mutation": one} for i, one in enumerate(mutations)}
    path = tmp_path / "check_quality.json"
    path.write_text(json.dumps({"exercises": entries}), encoding="utf-8")
    return [cell.strip() for cell in pages.scores(path, KEYS).splitlines()[2].strip("|").split("|")]


def test_what_was_not_measured_is_said_and_is_no_zero(tmp_path):
    assert scores_of(tmp_path, {}, {})[1:] == [
        *("2", "6", "10", "14", "6", "12", "10", "0", "0"),
        *("not measured", "not measured"),
    ]


def test_what_was_measured_of_some_exercises_says_of_how_many(tmp_path):
    assert scores_of(tmp_path, MEASURED, {})[-2:] == ["1,200 (of 1 measured)", "0 (of 1 measured)"]


def test_a_zero_that_was_measured_is_a_zero(tmp_path):
    assert scores_of(tmp_path, MEASURED, MEASURED)[-2:] == ["2,400", "0"]


def test_every_line_has_as_many_cells_as_the_head(tmp_path):
    scores_of(tmp_path, MEASURED, {})
    lines = pages.scores(tmp_path / "check_quality.json", KEYS).splitlines()
    assert len({line.count("|") for line in lines}) == 1 and len(lines) == len(MODULES) + 3


def test_no_mutant_at_all_is_no_measurement(tmp_path):
    none = {"key": "0", "mutants": 0, "survivors": 0}
    assert scores_of(tmp_path, none, none)[-2:] == ["not measured", "not measured"]


def test_mutants_of_code_that_has_changed_since_are_not_measured(tmp_path):
    old = MEASURED | {"key": "of other code"}
    assert scores_of(tmp_path, MEASURED, old)[-2:] == ["1,200 (of 1 measured)", "0 (of 1 measured)"]
    assert scores_of(tmp_path, old, old)[-2:] == ["not measured", "not measured"]


def test_what_is_counted_is_what_there_is():
    """Of the result file that the page on verdicts and the README show."""
    counted = json.loads((ROOT / "figures" / "results" / "check_quality.json").read_text(encoding="utf-8"))["exercises"]
    stale = []
    for exercise in COURSE.exercises:
        answers = ROOT / "tests" / "answers"
        kept = {tree: list((answers / tree / exercise.module / exercise.name).glob("*.py")) for tree in KEPT}
        now = {
            "checks": len(exercise.check_names()),
            "mistakes": len(exercise.card.mistakes),
            "forms": sum(len(mistake.forms) for mistake in exercise.card.mistakes),
            "variants": len(kept["right"]),
            "wrong": len(kept["wrong"]),
        }
        if now != {name: counted[exercise.number][name] for name in now}:
            stale.append(exercise.number)
    assert not stale, f"python figures/check_quality.py --exercise {' --exercise '.join(stale)}"
