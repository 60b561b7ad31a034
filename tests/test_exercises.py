"""What must hold of every exercise: right answers pass, wrong ones fail and get their name or none.

`--seeds 20` and `-m sweep` make the long sweep; `--exercise 1.05` looks at one exercise.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.conftest import COUNTED, ROOT
from tunelings.course import Exercise, shown_path
from tunelings.grading import answers, diagnose, mutate, stubs, vectors
from tunelings.grading.answers import Source
from tunelings.grading.run import Result, checks_of

# What an exercise has at least; CONTRIBUTING.md says the same.
VARIANTS, WRONG, UNLISTED, HINTS, MISTAKES = 3, 5, 2, 3, 5
LESSON = 1500  # characters


@functools.cache
def known_vectors(exercise: Exercise, seed: int):
    return vectors.MistakeVectors(exercise, seed).all()


def kept_folder(tree: str, exercise: Exercise) -> Path:
    return ROOT / "tests" / "answers" / tree / exercise.module / exercise.name


def kept_answers(tree: str, exercise: Exercise) -> list[Path]:
    return sorted(kept_folder(tree, exercise).glob("*.py"))


def broken(rule: str, found: object, path: Path, todo: str) -> str:
    """What a maintainer reads: the rule, what was found instead, where, and what to do."""
    return f"\n  rule:  {rule}\n  found: {found}\n  file:  {shown_path(path, ROOT)}\n  do:    {todo}"


def run_all(exercise: Exercise, source: Source, seed: int, folder: Path) -> dict[str, Result]:
    """Every check, those that train too."""
    checks = checks_of(exercise.check_path, exercise.check_names())
    with vectors.silence():
        return {check.__name__: vectors.run_apart(check, source, seed, 0, folder) for check in checks}


def failures(exercise: Exercise, source: Source, seed: int, folder: Path) -> dict[str, str]:
    results = run_all(exercise, source, seed, folder)
    return {name: f"{r.state}: {r.error}" for name, r in results.items() if r.state != "passed"}


def test_the_stub_is_cut_from_the_solution(exercise: Exercise):
    solution = exercise.solution_path.read_text(encoding="utf-8")
    stub = exercise.answer_path.read_text(encoding="utf-8") if exercise.answer_path.exists() else None
    assert stub == stubs.cut(solution), broken(
        "A stub is what `dev stubs` cuts out of the solution.",
        "no file" if stub is None else "another text",
        exercise.answer_path,
        f"tunelings dev stubs {exercise.number}",
    )


def test_the_stub_reads_as_not_started(exercise: Exercise):
    source = answers.read(exercise.answer_path)
    assert answers.todo_state(source, exercise.solution_path) is None, broken(
        "The stub reads as not started: each region of the solution leaves its TODO.",
        "a stub with nothing left to do in it, or with a part that is done",
        exercise.solution_path,
        "put each answer between `# BEGIN SOLUTION: what to do` (with words) and `# END SOLUTION`",
    )


def test_the_solution_passes(exercise: Exercise, seed: int, tmp_path: Path):
    failed = failures(exercise, answers.read(exercise.solution_path), seed, tmp_path)
    assert failed == {}, broken(
        f"The reference passes every check, for every seed (this is seed {seed}).",
        failed,
        exercise.check_path,
        "the check, or the reference, is wrong",
    )


def test_every_variant_passes(exercise: Exercise, seed: int, tmp_path: Path):
    kept = kept_answers("right", exercise)
    assert len(kept) >= VARIANTS, broken(
        f"An exercise keeps at least {VARIANTS} right answers, each written as another engineer would.",
        len(kept),
        kept_folder("right", exercise),
        "add whole answers, as different from the reference as they can be",
    )
    wrong = {path: failures(exercise, answers.read(path), seed, tmp_path) for path in kept}
    for path, failed in wrong.items():
        assert not failed, broken(
            f"Every right answer passes every check, for every seed (this is seed {seed}).",
            failed,
            path,
            "a check that fails it asserts what the docstring does not promise: promise it, or drop it",
        )


def test_every_mistake_fails_and_is_named(exercise: Exercise, seed: int):
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
        f"Every form of a mistake fails a check, and is named by its own id alone (this is seed {seed}).",
        "\n         ".join(problems),
        exercise.card_path,
        "give the checks a value or an expect.note that tells the two apart, or make one mistake of them",
    )


def test_wrong_answers_fail_and_are_never_misnamed(exercise: Exercise, seed: int, tmp_path: Path):
    kept = kept_answers("wrong", exercise)
    known_ids = {mistake.id for mistake in exercise.card.mistakes}
    expected = {path: name_in(path) for path in kept}
    unlisted = sum(name == "unlisted" for name in expected.values())
    assert len(kept) >= WRONG and unlisted >= UNLISTED, broken(
        f"An exercise keeps at least {WRONG} wrong answers written from nothing, {UNLISTED} of them unlisted.",
        f"{len(kept)}, {unlisted} of them unlisted",
        kept_folder("wrong", exercise),
        "add whole wrong answers; `unlisted` is one that no mistake of the card describes",
    )
    problems = []
    for path, name in expected.items():
        assert name == "unlisted" or name in known_ids, broken(
            "The first line of a wrong answer is `# names: ID`, an id of the card, or `# names: unlisted`.",
            name or path.read_text(encoding="utf-8").partition("\n")[0],
            path,
            f"the ids are {', '.join(sorted(known_ids))}",
        )
        source = answers.read(path)
        vector = vectors.vector_of(exercise, source, seed)
        first = diagnose.first_failing(vector)
        if first is None and not failures(exercise, source, seed, tmp_path):
            problems.append(f"{path.name} passes every check")
            continue
        found = diagnose.name_mistake(vector, known_vectors(exercise, seed), first) if first else None
        named = {m.id for m in found.mistakes} if found else set()
        if named and name not in named:
            problems.append(f"{path.name} is {name} and is named {sorted(named)} by {first}: {vector[first]}")
    assert not problems, broken(
        f"Every wrong answer fails, and gets the name in its first line or none (this is seed {seed}).",
        "\n         ".join(problems),
        kept_folder("wrong", exercise),
        "check what it gets wrong; where it is misnamed, record what tells it apart with expect.note",
    )


def name_in(path: Path) -> str | None:
    """What stands in a wrong answer's first line, `# names: ID`; None where it says something else."""
    found = re.match(r"# names: (\S+)\n", path.read_text(encoding="utf-8"))
    return found[1] if found else None


def test_leave_one_out_is_counted(exercise: Exercise, record_property):
    """Each mistake is the answer and its own entry is missing: any name that is given is false."""
    known = known_vectors(exercise, 0)
    false_names = [
        f"{mistake.id} as {', '.join(sorted(named.id for named in found.mistakes))}"
        for mistake, found in diagnose.leave_one_out(known)
    ]
    record_property(COUNTED, f"{exercise.number} leave-one-out: {len(false_names)} of {len(known)} {false_names}")
    # The prototype of the rule had 3 of 44; one in ten is where its names would stop being worth reading.
    assert len(false_names) <= max(1, len(known) // 10), broken(
        "With its own entry taken off the card, at most one mistake in ten (or one) gets another one's name.",
        false_names,
        exercise.card_path,
        "record what tells them apart with expect.note",
    )


def as_text(vector: vectors.Vector) -> str:
    return json.dumps([asdict(entry) for entry in vector.values()])


def repeated_verdicts_are_identical(exercise: Exercise, repeats: int) -> None:
    """Each mistake, run again, leaves the vector that it left before."""
    solution = exercise.solution_path.read_text(encoding="utf-8")
    first_forms = {mistake.id: (mistake, vector) for mistake, vector in reversed(known_vectors(exercise, 0))}
    for mistake, vector in first_forms.values():
        path = exercise.solution_path.with_name(f"{exercise.name}-repeat-{mistake.id}.py")
        source = Source(path, vectors.apply(mistake, 0, solution))
        for _ in range(repeats - 1):
            assert as_text(vectors.vector_of(exercise, source, 0)) == as_text(vector)


def test_the_same_answer_gets_the_same_verdict_again(exercise: Exercise):
    repeated_verdicts_are_identical(exercise, 2)


@pytest.mark.sweep
@pytest.mark.timeout(3600)
def test_the_same_answer_gets_the_same_verdict_25_times(exercise: Exercise):
    repeated_verdicts_are_identical(exercise, 25)


def test_the_card_is_whole(exercise: Exercise):
    card = exercise.card
    ids = [mistake.id for mistake in card.mistakes]
    path = exercise.card_path
    assert len(card.hints) >= HINTS and all(len(hint) > 10 for hint in card.hints), broken(
        f"A card has at least {HINTS} hints of more than 10 characters, each saying more than the one before.",
        list(card.hints),
        path,
        "where to look; which step; nearly the code",
    )
    assert len(ids) >= MISTAKES, broken(
        f"A card has at least {MISTAKES} known mistakes.", ids, path, "add [[mistakes]] (CONTRIBUTING.md, A mistake)"
    )
    assert len(set(ids)) == len(ids), broken(
        "No two mistakes share an id.", ids, path, "rename one, or join their forms"
    )
    assert card.minutes > 0 and 1 <= card.difficulty <= 5, broken(
        "`minutes` is more than 0, `difficulty` is 1 to 5.", (card.minutes, card.difficulty), path, "correct them"
    )
    assert card.learnt.endswith("."), broken(
        "`learnt` is a sentence with its full stop.", card.learnt, path, "say what the learner knows now"
    )
    for mistake in card.mistakes:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", mistake.id), broken(
            "An id is small letters and digits in words joined by hyphens.", mistake.id, path, "such as no-zero-grad"
        )
        assert ends_the_sentence(mistake.says), broken(
            '`says` ends the sentence "This is what comes out when …": a small first letter, and a full stop.',
            mistake.says,
            path,
            f"correct `says` of {mistake.id}",
        )


def ends_the_sentence(says: str) -> bool:
    """Whether a mistake's `says` can stand after "This is what comes out when …"."""
    begins_within = not says[:1].isupper() or says.startswith(("AdamW", "SGD"))
    return begins_within and says.endswith(".")


@pytest.mark.parametrize(
    ("says", "fits"),
    [
        ("the loss is summed over the batch.", True),
        ("SGD is used in place of AdamW.", True),
        ("the loss is summed over the batch", False),
        ("AdamW decays the biases too", False),
        ("The loss is summed over the batch.", False),
        ("", False),
    ],
)
def test_what_a_mistake_says_ends_a_sentence_that_has_begun(says: str, fits: bool):
    assert ends_the_sentence(says) == fits


def test_the_lesson_exists(exercise: Exercise):
    text = exercise.lesson_path.read_text(encoding="utf-8")
    assert text.startswith("# "), broken(
        "A lesson begins with its heading, `# Title`.", text.partition("\n")[0], exercise.lesson_path, "put it first"
    )
    assert len(text) > LESSON, broken(
        f"A lesson has more than {LESSON} characters.",
        len(text),
        exercise.lesson_path,
        "the idea, the formula, what was measured, what goes wrong, further reading",
    )


def test_the_lesson_shows_contract_and_mistakes(exercise: Exercise):
    text = exercise.lesson_path.read_text(encoding="utf-8")
    for mark, what in (("<!-- exercise -->", "the contract"), ("<!-- mistakes -->", "the table of mistakes")):
        assert text.count(mark) == 1, broken(
            f"A lesson has the mark {mark} once: there the site puts {what}.",
            f"it stands there {text.count(mark)} times",
            exercise.lesson_path,
            f"a line of its own with {mark}",
        )


@pytest.mark.sweep
@pytest.mark.timeout(3600)
def test_mutants_do_not_survive(exercise: Exercise, tmp_path: Path, record_property):
    total, alive = mutate.survivors(exercise, tmp_path)
    listed = mutate.listed_survivors(ROOT).get(exercise.number, {})
    record_property(COUNTED, f"{exercise.number} mutants: {total}, survivors: {len(alive)}")
    new = [str(mutant) for mutant in alive if mutant.name not in listed]
    assert new == [], broken(
        "No small change of the reference passes every check, but for those in tests/survivors.toml.",
        new,
        exercise.solution_path,
        "add a check, or list its name (without the line) in tests/survivors.toml with why it changes nothing",
    )
    gone = sorted(set(listed) - {mutant.name for mutant in alive})
    assert gone == [], broken(
        "What tests/survivors.toml lists survives.", gone, ROOT / "tests" / "survivors.toml", "take it off the list"
    )
