"""What the gates of an exercise share: the words of a broken rule, its kept answers and how they fail."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tunelings.cards import Mistake
from tunelings.course import CourseError, Exercise, shown_path
from tunelings.grading import vectors
from tunelings.grading.answers import Source
from tunelings.grading.run import Result, checks_of


def broken(rule: str, found: object, path: Path, todo: str) -> str:
    """What a maintainer reads: the rule, what was found instead, where, and what to do."""
    return f"\n  rule:  {rule}\n  found: {found}\n  file:  {shown_path(path, ROOT)}\n  do:    {todo}"


def lines(problems: list[str]) -> str:
    """Several things found, one below the other in the text of `broken`."""
    return "\n         ".join(problems)


def misplaced_edits(exercise: Exercise) -> list[str]:
    """What is wrong with the mistakes' edits of the solution: an `old` that does not appear in it exactly once."""
    solution = exercise.solution_path.read_text(encoding="utf-8")
    problems = []
    for mistake in exercise.card.mistakes:
        for form in range(len(mistake.forms)):
            try:
                vectors.apply(mistake, form, solution)
            except CourseError as error:
                problems.append(str(error))
    return problems


@functools.cache
def known_vectors(exercise: Exercise, seed: int) -> list[tuple[Mistake, vectors.Vector]]:
    """The vectors of every form of every mistake; the test fails, in one line, where they cannot be made."""
    edits_must_fit(exercise)
    return vectors.MistakeVectors(exercise, seed).all()


def edits_must_fit(exercise: Exercise) -> None:
    """The test fails, in one line, where a mistake cannot be made of the solution."""
    if misplaced_edits(exercise):
        pytest.fail("Not run: see test_every_edit_fits_the_solution.", pytrace=False)


def lesson_of(exercise: Exercise) -> str:
    """The source of an exercise's lesson; the test fails, in one line, where there is none."""
    if not exercise.lesson_path.is_file():
        pytest.fail("Not run: see test_the_lesson_exists.", pytrace=False)
    return exercise.lesson_path.read_text(encoding="utf-8")


# Which check comes first saves time and changes no verdict; `python -m tests.support.failing_checks` writes it.
LIKELY = ROOT / "tests" / "failing_checks.json"

# The exercises whose names of mistakes are asked in each run, quick ones of every module. Of the others, mistakes and
# wrong answers only have to fail; `dev check`, `--exercise`, more seeds and the sweep ask for their names.
NAMED = frozenset("1.01 1.05 2.02 3.08 4.03 5.06".split())


def names_are_asked(exercise: Exercise, config: pytest.Config) -> bool:
    chosen = config.getoption("exercise") or config.getoption("seeds") > 1 or "sweep" in config.getoption("markexpr")
    return bool(chosen) or exercise.number in NAMED


def a_check_that_fails(exercise: Exercise, source: Source, seed: int, folder: Path, likely: str = "") -> str | None:
    """A check that an answer does not pass, or None; `likely` is run first, and the others in their order."""
    names = sorted(exercise.check_names(), key=lambda name: name != likely)
    with vectors.silence():
        for check in checks_of(exercise.check_path, names):
            if vectors.run_apart(check, source, seed, 0, folder).state != "passed":
                return check.__name__
    return None


@functools.cache
def likely_failures() -> dict[str, dict[str, str]]:
    """By exercise, the check that each mistake and each wrong answer failed when `failing_checks` last looked."""
    return json.loads(LIKELY.read_text(encoding="utf-8")) if LIKELY.exists() else {}


def likely_failure(exercise: Exercise, answer: str) -> str:
    """The check that is worth running first on a mistake (by its id) or on a wrong answer (by its file's name)."""
    return likely_failures().get(exercise.number, {}).get(answer, "")


def mistaken(exercise: Exercise, mistake: Mistake, form: int) -> Source:
    """The wrong answer that a form of a mistake makes of the solution."""
    solution = exercise.solution_path.read_text(encoding="utf-8")
    path = exercise.solution_path.with_name(f"{exercise.name}-{mistake.id}-{form}-again.py")
    return Source(path, vectors.apply(mistake, form, solution))


def kept_folder(tree: str, exercise: Exercise) -> Path:
    return ROOT / "tests" / "answers" / tree / exercise.module / exercise.name


def kept_answers(tree: str, exercise: Exercise) -> list[Path]:
    return sorted(kept_folder(tree, exercise).glob("*.py"))


def failures(exercise: Exercise, source: Source, seed: int, folder: Path) -> dict[str, str]:
    """Each check that an answer does not pass, those that train too, with its state and error."""
    results = run_all(exercise, source, seed, folder)
    return {name: f"{r.state}: {r.error}" for name, r in results.items() if r.state != "passed"}


def run_all(exercise: Exercise, source: Source, seed: int, folder: Path) -> dict[str, Result]:
    checks = checks_of(exercise.check_path, exercise.check_names())
    with vectors.silence():
        return {check.__name__: vectors.run_apart(check, source, seed, 0, folder) for check in checks}


def name_in(path: Path) -> str | None:
    """The id in a wrong answer's first line, `# names: ID`; None if the line says something else."""
    found = re.match(r"# names: (\S+)\n", path.read_text(encoding="utf-8"))
    return found[1] if found else None


def ends_the_sentence(says: str) -> bool:
    """Whether a mistake's `says` can stand after "This is what comes out when …"."""
    begins_within = not says[:1].isupper() or says.startswith(("AdamW", "SGD"))
    return begins_within and says.endswith(".")
