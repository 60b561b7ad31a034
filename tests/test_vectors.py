"""What a vector holds, and that the kept ones go stale with whatever they depend on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.test_store import DAMAGES
from tunelings import expect
from tunelings.expect import CheckFailed
from tunelings.grading import environment, vectors
from tunelings.grading.answers import Source
from tunelings.grading.fingerprint import has_unknown
from tunelings.grading.run import Result
from tunelings.grading.states import CheckState
from tunelings.grading.vectors import MistakeVectors

PEFT = Requirement("peft>=0.18")


@pytest.fixture(autouse=True)
def _read_anew():
    vectors.surroundings_hash.cache_clear()
    yield
    vectors.surroundings_hash.cache_clear()


def kept_at(exercise, seed: int = 0) -> Path:
    vectors.surroundings_hash.cache_clear()
    return MistakeVectors(exercise, seed).path


def test_the_same_surroundings_give_the_same_place(mini):
    assert kept_at(mini.squares) == kept_at(mini.squares)
    assert kept_at(mini.squares) != kept_at(mini.squares, seed=1)


@pytest.mark.parametrize("which", ["check_path", "card_path", "solution_path"])
def test_a_change_of_the_exercise_is_another_place(mini, which: str):
    before = kept_at(mini.squares)
    path = getattr(mini.squares, which)
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert kept_at(mini.squares) != before


@pytest.mark.parametrize("changed", ["expect.py", "grading/contain.py", "handson/tiny.py", "handson/new.py"])
def test_a_change_anywhere_in_the_package_is_another_place(mini, tmp_path, monkeypatch, changed: str):
    copy = tmp_path / "tunelings"
    shutil.copytree(vectors.PACKAGE, copy)
    monkeypatch.setattr(vectors, "PACKAGE", copy)
    before = kept_at(mini.squares)
    with open(copy / changed, "a", encoding="utf-8") as file:
        file.write("\n")
    assert kept_at(mini.squares) != before


def test_an_upgrade_of_a_library_is_another_place(mini, monkeypatch):
    places = set()
    for version in ("0.18.0", "0.19.0", None):
        monkeypatch.setattr(environment, "installed", lambda version=version: {PEFT: version})
        places.add(kept_at(mini.squares))
    assert len(places) == 3


def test_every_library_that_the_exercises_import_counts():
    """All of the course's requirements are in the hash, so that none of them can be forgotten."""
    names = {requirement.name for requirement in environment.installed()}
    assert names >= {"torch", "transformers", "peft", "numpy", "tokenizers", "datasets", "accelerate", "safetensors"}


def test_what_is_left_of_older_surroundings_is_removed(mini):
    known = MistakeVectors(mini.squares, 0)
    stale = known.path.with_name("1.01-0-0123456789abcdef.json")
    stale.parent.mkdir(parents=True)
    stale.write_text("[]", encoding="utf-8")
    known.all()
    assert [path.name for path in stale.parent.iterdir()] == [known.path.name]


def test_nothing_is_run_after_a_time_out(mini):
    check = mini.squares.check_path.read_text(encoding="utf-8")
    check = check.replace("def test_each_number", "@pytest.mark.timeout(1)\ndef test_each_number")
    mini.squares.check_path.write_text(
        check.replace("import torch", "import pytest\nimport torch", 1), encoding="utf-8"
    )
    endless = "def squares(x):\n    while len(x) == 3 and x.dim() == 1:\n        pass\n    return x\n"
    source = Source(mini.squares.answer_path, endless + "\n\ndef mean_square(x):\n    return 0.0\n")
    vector = vectors.vector_of(mini.squares, source, seed=0)
    assert [(name, outcome.state) for name, outcome in vector.items()] == [("test_each_number_is_squared", "timeout")]


def test_a_value_that_has_no_fingerprint_is_not_called_random(mini):
    text = "class Thing:\n    pass\n\n\ndef squares(x):\n    return Thing()\n\n\ndef mean_square(x):\n    return 0.0\n"
    value = vectors.vector_of(mini.squares, Source(mini.squares.answer_path, text), seed=0)
    assert all(has_unknown(outcome.value) for outcome in list(value.values())[:2])


def of_a_refusal(raised: Exception, *mentions: str):
    """What a vector holds of an answer that refuses with `raised`, where a ValueError with these words is promised."""

    def refuse():
        raise raised

    with pytest.raises(CheckFailed) as failed:
        expect.raises(ValueError, refuse, "an empty list", mentions=mentions)
    return vectors.stored(Result("test_x", CheckState.FAILED, failed.value))


def test_the_words_of_an_answers_own_message_tell_no_mistakes_apart():
    asserted = of_a_refusal(AssertionError("the list must not be empty"))
    assert asserted == of_a_refusal(AssertionError("no items!")) != of_a_refusal(IndexError("no items!"))
    unsaid = of_a_refusal(ValueError("bad size"), "3", "12")
    assert unsaid == of_a_refusal(ValueError("sizes differ"), "3", "12") != of_a_refusal(ValueError("12"), "3", "12")


def test_a_crash_whose_text_prints_a_set_is_the_same_in_each_process():
    crashes = [
        Result("test_x", CheckState.CRASHED, KeyError(f"not one of {names}"))
        for names in ("{'left', 'right'}", "{'right', 'left'}")
    ]
    assert vectors.stored(crashes[0]) == vectors.stored(crashes[1])
    assert vectors.stored(crashes[0]) != vectors.stored(Result("test_x", CheckState.CRASHED, KeyError("not one")))


@pytest.mark.parametrize(("state", "runs"), [("failed", 3), ("crashed", 3), ("timeout", 1), ("passed", 1)])
def test_a_check_that_fails_runs_again_but_not_one_that_ran_out_of_time(mini, monkeypatch, state, runs):
    ran = []

    def told(check, *_):
        ran.append(check)
        return Result(check.__name__, CheckState(state), None if state == "passed" else CheckFailed("x", 1, 2))

    monkeypatch.setattr(vectors, "run_apart", told)
    vectors.outcome_of(vectors.checks_for(mini.squares)[0], Source(mini.squares.answer_path, ""), 0)
    assert len(ran) == runs


@pytest.mark.parametrize("damage", DAMAGES)
def test_kept_vectors_that_are_damaged_are_run_again(mini, damage: str):
    path = kept_at(mini.squares)
    path.parent.mkdir(parents=True)
    path.write_bytes(DAMAGES[damage])
    assert not any(MistakeVectors(mini.squares, 0)._vectors)
