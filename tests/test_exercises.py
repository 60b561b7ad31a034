"""What must hold for every exercise: right answers pass, wrong ones fail and get their name or none.

`--seeds 20` and `-m sweep` make the long sweep; `--exercise 1.05` looks at one exercise.

Long: 17 tests, one for each rule that an exercise keeps.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.conftest import COUNTED, ROOT
from tests.support.gates import (
    a_check_that_fails,
    broken,
    edits_must_fit,
    ends_the_sentence,
    failures,
    kept_answers,
    kept_folder,
    known_vectors,
    lesson_of,
    likely_failure,
    lines,
    misplaced_edits,
    mistaken,
    name_in,
    names_are_asked,
)
from tunelings.course import Exercise, shown_path
from tunelings.grading import answers, diagnose, mutate, promises, stubs, vectors

# What an exercise has at least; CONTRIBUTING.md says the same.
VARIANTS, WRONG, UNLISTED, HINTS, MISTAKES = 3, 5, 2, 3, 5
LESSON = 1500  # characters


def test_the_stub_is_cut_from_the_solution(exercise: Exercise):
    solution = exercise.solution_path.read_text(encoding="utf-8")
    stub = exercise.answer_path.read_text(encoding="utf-8") if exercise.answer_path.exists() else None
    assert stub == stubs.cut(solution), broken(
        "The stub must be exactly what `dev stubs` cuts from the solution.",
        "no file" if stub is None else "different text",
        exercise.answer_path,
        f"tunelings dev stubs {exercise.number}",
    )


def test_the_stub_reads_as_not_started(exercise: Exercise):
    source = answers.read(exercise.answer_path)
    assert answers.todo_state(source, exercise.solution_path) is None, broken(
        "The stub must count as not started: each region of the solution must leave its TODO.",
        "a stub that has no TODO left, or a part that is already done",
        exercise.solution_path,
        "put each answer between `# BEGIN SOLUTION: what to do` (with words) and `# END SOLUTION`",
    )


def test_the_solution_passes(exercise: Exercise, seed: int, tmp_path: Path):
    failed = failures(exercise, answers.read(exercise.solution_path), seed, tmp_path)
    assert failed == {}, broken(
        f"The reference must pass every check with every seed (this is seed {seed}).",
        failed,
        exercise.check_path,
        "correct the check or the reference, whichever is wrong",
    )


def test_every_variant_passes(exercise: Exercise, seed: int, tmp_path: Path):
    kept = kept_answers("right", exercise)
    assert len(kept) >= VARIANTS, broken(
        f"An exercise needs at least {VARIANTS} right answers, each as a different engineer would write it.",
        len(kept),
        kept_folder("right", exercise),
        "add complete answers that differ from the reference as much as possible",
    )
    wrong = {path: failures(exercise, answers.read(path), seed, tmp_path) for path in kept}
    for path, failed in wrong.items():
        assert not failed, broken(
            f"Every right answer must pass every check with every seed (this is seed {seed}).",
            failed,
            path,
            "the check asserts what the docstring does not promise: promise it there, or drop it from the check",
        )


def test_every_edit_fits_the_solution(exercise: Exercise):
    problems = misplaced_edits(exercise)
    assert not problems, broken(
        "Each `old` of a mistake must appear exactly once in the solution, untouched by the edits before it.",
        lines(problems),
        exercise.card_path,
        "copy `old` from the solution, with enough of the text around it to make it unique",
    )


def skip_where_no_names_are_asked(exercise: Exercise, config: pytest.Config) -> None:
    if not names_are_asked(exercise, config):
        pytest.skip("its names are asked by dev check and by the sweep")


def test_every_mistake_fails(exercise: Exercise, seed: int, tmp_path: Path, pytestconfig: pytest.Config):
    """Of the exercises whose names are asked in the sweep only."""
    if names_are_asked(exercise, pytestconfig):
        pytest.skip("its names are asked too, by the next test")
    passing = [
        mistake.id
        for mistake in exercise.card.mistakes
        if a_check_that_fails(
            exercise, mistaken(exercise, mistake, 0), seed, tmp_path, likely_failure(exercise, mistake.id)
        )
        is None
    ]
    assert not passing, broken(
        f"Every mistake must fail a check (this is seed {seed}).",
        passing,
        exercise.card_path,
        "add a check that fails for it, or take it off the card",
    )


def test_every_mistake_fails_and_is_named(exercise: Exercise, seed: int, pytestconfig: pytest.Config):
    skip_where_no_names_are_asked(exercise, pytestconfig)
    known = known_vectors(exercise, seed)
    problems = []
    for number, (mistake, vector) in enumerate(known):
        first = diagnose.first_failing(vector)
        if first is None:
            problems.append(f"{mistake.id} (form {number}) passes every check: {mistake.forms}")
            continue
        found = diagnose.name_mistake(vector, known, first)
        named = {m.id for m in found.mistakes} if found else set()
        if named != {mistake.id}:
            problems.append(f"{mistake.id} is named {sorted(named)} by {first}: {vector[first]}")
    assert not problems, broken(
        f"Every form of a mistake must fail a check and be named by its own id only (this is seed {seed}).",
        lines(problems),
        exercise.card_path,
        "give the checks a value or an expect.note that tells the two apart, or merge them into one mistake",
    )


def test_wrong_answers_fail_and_are_never_misnamed(
    exercise: Exercise, seed: int, tmp_path: Path, pytestconfig: pytest.Config
):
    kept = kept_answers("wrong", exercise)
    known_ids = {mistake.id for mistake in exercise.card.mistakes}
    expected = {path: name_in(path) for path in kept}
    unlisted = sum(name == "unlisted" for name in expected.values())
    assert len(kept) >= WRONG and unlisted >= UNLISTED, broken(
        f"An exercise needs at least {WRONG} wrong answers written from scratch, {UNLISTED} of them unlisted.",
        f"{len(kept)}, {unlisted} of them unlisted",
        kept_folder("wrong", exercise),
        "add complete wrong answers; `unlisted` marks one that no mistake on the card describes",
    )
    problems = []
    for path, name in expected.items():
        assert name == "unlisted" or name in known_ids, broken(
            "The first line of a wrong answer must be `# names: ID` with an id from the card, or `# names: unlisted`.",
            name or path.read_text(encoding="utf-8").partition("\n")[0],
            path,
            f"use one of these ids: {', '.join(sorted(known_ids))}",
        )
        source = answers.read(path)
        if not names_are_asked(exercise, pytestconfig):
            likely = likely_failure(exercise, path.name)
            if a_check_that_fails(exercise, source, seed, tmp_path, likely) is None:
                problems.append(f"{path.name} passes every check")
            continue
        vector = vectors.vector_of(exercise, source, seed)
        first = diagnose.first_failing(vector)
        if first is None and not failures(exercise, source, seed, tmp_path):
            problems.append(f"{path.name} passes every check")
            continue
        found = diagnose.name_mistake(vector, known_vectors(exercise, seed), first) if first else None
        named = {m.id for m in found.mistakes} if found else set()
        if named and name not in named:
            problems.append(f"{path.name} is {name} but is named {sorted(named)} by {first}: {vector[first]}")
    assert not problems, broken(
        f"Every wrong answer must fail and get the name in its first line or none (this is seed {seed}).",
        lines(problems),
        kept_folder("wrong", exercise),
        "check what it gets wrong; if it is misnamed, record what tells it apart with expect.note",
    )


def test_every_promise_is_broken_by_a_wrong_answer(exercise: Exercise, record_property):
    contract = promises.contract(exercise)
    held = sum(bool(promise.broken_by) for promise in contract.promises)
    record_property(COUNTED, f"{exercise.number} promises: {held} of {len(contract.counted)} are held")
    assert contract.promises and not contract.problems, broken(
        "Each wrong answer must quote, in its head, words that stand in one sentence of the docstrings.",
        lines(contract.problems),
        kept_folder("wrong", exercise),
        'begin it with `# names: ID` and then `# breaks: "words"`; two functions with one sentence: "name: words"',
    )
    open_ones = [str(promise) for promise in contract.promises if promise.is_open]
    assert not open_ones, broken(
        "Each sentence of the docstrings must be broken by a kept wrong answer or a mistake, or promise nothing.",
        lines(open_ones),
        exercise.solution_path,
        "keep a wrong answer that breaks it, shorten the docstring, or give the reason in tests/promises.toml",
    )


def test_leave_one_out_is_counted(exercise: Exercise, record_property, pytestconfig: pytest.Config):
    """Each mistake is the answer and its own entry is missing: any name that is given is false."""
    skip_where_no_names_are_asked(exercise, pytestconfig)
    known = known_vectors(exercise, 0)
    false_names = [
        f"{mistake.id} as {', '.join(sorted(named.id for named in found.mistakes))}"
        for mistake, found in diagnose.leave_one_out(known)
    ]
    record_property(COUNTED, f"{exercise.number} leave-one-out: {len(false_names)} of {len(known)} {false_names}")
    # The prototype of the rule had 3 of 44; one in ten is where its names would stop being worth reading.
    assert len(false_names) <= max(1, len(known) // 10), broken(
        "Without its own entry on the card, at most one mistake in ten (or one) may get another's name.",
        false_names,
        exercise.card_path,
        "record what tells them apart with expect.note",
    )


def as_text(vector: vectors.Vector) -> str:
    return json.dumps([asdict(entry) for entry in vector.values()])


def repeated_verdicts_are_identical(exercise: Exercise, repeats: int, mistakes: int | None = None) -> None:
    """The first form of each mistake (or of so many of them), run again, leaves the vector that it left before."""
    edits_must_fit(exercise)
    for mistake in exercise.card.mistakes[:mistakes]:
        source = mistaken(exercise, mistake, 0)
        first, *others = [as_text(vectors.vector_of(exercise, source, 0)) for _ in range(repeats)]
        assert all(other == first for other in others), mistake.id


def test_the_same_answer_gets_the_same_verdict_again(exercise: Exercise, pytestconfig: pytest.Config):
    """All of them, 25 times, in the sweep."""
    repeated_verdicts_are_identical(exercise, 2, mistakes=2 if names_are_asked(exercise, pytestconfig) else 1)


@pytest.mark.sweep
@pytest.mark.timeout(3600)
def test_the_same_answer_gets_the_same_verdict_25_times(exercise: Exercise):
    repeated_verdicts_are_identical(exercise, 25)


def test_the_card_is_whole(exercise: Exercise):
    card = exercise.card
    ids = [mistake.id for mistake in card.mistakes]
    path = exercise.card_path
    assert len(card.hints) >= HINTS and all(len(hint) > 10 for hint in card.hints), broken(
        f"A card needs at least {HINTS} hints of more than 10 characters, each saying more than the one before.",
        list(card.hints),
        path,
        "say where to look, then which step, then nearly the code",
    )
    assert len(ids) >= MISTAKES, broken(
        f"A card needs at least {MISTAKES} known mistakes.", ids, path, "add [[mistakes]] (CONTRIBUTING.md, A mistake)"
    )
    assert len(set(ids)) == len(ids), broken(
        "No two mistakes may share an id.", ids, path, "rename one, or merge their forms"
    )
    assert card.minutes > 0 and 1 <= card.difficulty <= 5, broken(
        "`minutes` must be more than 0, and `difficulty` 1 to 5.", (card.minutes, card.difficulty), path, "correct them"
    )
    assert card.learnt.endswith("."), broken(
        "`learnt` must be a sentence that ends with a period.", card.learnt, path, "say what the learner knows now"
    )
    for mistake in card.mistakes:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", mistake.id), broken(
            "An id must be lowercase words and digits joined by hyphens.",
            mistake.id,
            path,
            "such as no-zero-grad",
        )
        assert ends_the_sentence(mistake.says), broken(
            '`says` must end the sentence "This is what comes out when …": lowercase first letter, period at the end.',
            mistake.says,
            path,
            f"correct `says` of {mistake.id}",
        )


def test_the_lesson_exists(exercise: Exercise):
    path = exercise.lesson_path
    assert path.is_file(), broken(
        "An exercise must have a lesson, the page that its card names.",
        "no file",
        path,
        f"write it, or correct `lesson` in {shown_path(exercise.card_path, ROOT)}",
    )


def test_the_lesson_is_whole(exercise: Exercise):
    text, path = lesson_of(exercise), exercise.lesson_path
    assert text.startswith("# "), broken(
        "A lesson must begin with its heading, `# Title`.",
        text.partition("\n")[0],
        path,
        "put the heading on the first line",
    )
    assert len(text) > LESSON, broken(
        f"A lesson must have more than {LESSON} characters.",
        len(text),
        path,
        "cover the idea, the formula, what was measured, what goes wrong, and further reading",
    )


def test_the_lesson_shows_contract_and_mistakes(exercise: Exercise):
    text = lesson_of(exercise)
    for mark, what in (("<!-- exercise -->", "the contract"), ("<!-- mistakes -->", "the table of mistakes")):
        assert text.count(mark) == 1, broken(
            f"The lesson must contain {mark} exactly once; the site puts {what} there.",
            f"it appears {text.count(mark)} times",
            exercise.lesson_path,
            f"put {mark} on a line of its own, once",
        )
    assert text.index("<!-- exercise -->") < text.index("<!-- mistakes -->"), broken(
        "The mistakes come after the exercise: read before, they would give it away.",
        "<!-- mistakes --> comes first",
        exercise.lesson_path,
        "put <!-- mistakes --> below <!-- exercise -->",
    )


@pytest.mark.sweep
@pytest.mark.timeout(3600)
def test_mutants_do_not_survive(exercise: Exercise, tmp_path: Path, record_property):
    total, alive = mutate.survivors(exercise, tmp_path)
    listed = mutate.listed_survivors(ROOT).get(exercise.number, {})
    record_property(COUNTED, f"{exercise.number} mutants: {total}, survivors: {len(alive)}")
    new = [str(mutant) for mutant in alive if mutant.name not in listed]
    assert new == [], broken(
        "No small change of the reference may pass every check, except those in tests/survivors.toml.",
        new,
        exercise.solution_path,
        "add a check, or list the name (without the line) in tests/survivors.toml and say why it changes nothing",
    )
    gone = sorted(set(listed) - {mutant.name for mutant in alive})
    assert gone == [], broken(
        "Every mutant in tests/survivors.toml must survive.", gone, ROOT / "tests" / "survivors.toml", "remove it"
    )
