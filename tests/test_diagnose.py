"""A mistake is named where the answer fails as it does, and only there.

Long: 36 tests of the rule and of the vectors that it compares.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.miniature import SQUARES
from tunelings.cards import CourseError, Mistake
from tunelings.expect import CheckFailed
from tunelings.grading import diagnose, judge, vectors
from tunelings.grading.answers import Source
from tunelings.grading.diagnose import Diagnosis, name_mistake
from tunelings.grading.fingerprint import RANDOM, fingerprint
from tunelings.grading.run import Result
from tunelings.grading.states import CheckState
from tunelings.grading.vectors import Outcome, apply

FIRST = "test_each_number_is_squared"


def named(mini, body: str, first: str = FIRST, head: str = "import torch\n\n\n") -> list[str]:
    """The ids that `squares` with this body is named after, beside a right `mean_square`."""
    found = diagnosis(mini, body, first, head)
    return [mistake.id for mistake in found.mistakes] if found else []


def diagnosis(mini, body: str, first: str = FIRST, head: str = "import torch\n\n\n") -> Diagnosis | None:
    text = f"{head}def squares(x):\n    {body}\n\n\ndef mean_square(x):\n    return squares(x).mean().item()\n"
    return diagnose.diagnose(mini.squares, Source(mini.squares.answer_path, text), first, seed=0)


def test_an_answer_that_fails_as_a_mistake_does_is_named_after_it(mini):
    assert named(mini, "return x + x") == ["doubled"]
    assert named(mini, "return torch.stack([x, x]).sum(0)") == ["doubled"]
    assert named(mini, "return torch.stack([row + row for row in x])") == ["doubled"]


def test_two_that_no_check_tells_apart_are_both_named(mini):
    assert named(mini, "return x.abs() * x") == ["sign-kept", "sign-put-back"]


def test_three_that_no_check_tells_apart_are_not_named(mini):
    card = mini.squares.card_path
    more = '\n[[mistakes]]\nid = "third"\nsays = "so."\nforms = [[{ old = "x * x", new = "x.abs() * x" }]]\n'
    card.write_text(card.read_text() + more)
    assert named(mini, "return x.abs() * x") == []
    assert named(mini, "return x + x") == ["doubled"]


@pytest.mark.parametrize(
    "body", ["return x", "return x * x + 1e-3", "return (x * x)[:2]", "return None", "return x.nope()"]
)
def test_an_answer_that_fails_in_a_way_of_its_own_is_not_named(mini, body):
    assert named(mini, body) == []


def test_rounding_does_not_hide_a_mistake(mini):
    assert named(mini, "return x + x + 1e-9") == ["doubled"]


def test_a_random_value_is_known_as_random_only(mini):
    assert named(mini, "return x * torch.rand_like(x)") == ["random-factor"]
    assert named(mini, "return torch.randn_like(x)") == ["random-factor"]
    assert named(mini, "return x * 0.5") == []


@pytest.mark.parametrize("text", ["raise SystemExit", "while True: pass", "return 'x'"])
def test_an_object_of_a_class_of_its_own_is_not_random(mini, text):
    """Nothing is known of such a value, and two runs do not agree on it."""
    head = f"class Thing:\n    def __repr__(self):\n        {text}\n\n\n"
    assert named(mini, "return Thing()", head=head) == []
    assert named(mini, "return [Thing()]", head=head) == []


def test_a_mistake_that_shows_later_is_named_there(mini):
    text = "def squares(x):\n    return x * x\n\n\ndef mean_square(x):\n    return float(squares(x).sum())\n"
    source = Source(mini.squares.answer_path, text)
    found = diagnose.diagnose(mini.squares, source, "test_the_mean_is_a_plain_number", seed=0)
    assert [mistake.id for mistake in found.mistakes] == ["summed"]


@pytest.mark.parametrize(
    "body",
    ["raise NotImplementedError('TODO')", "import time; time.sleep(20)"],
    ids=["todo", "timeout"],
)
def test_nothing_is_named_for_an_answer_that_is_not_finished_or_does_not_end(mini, body):
    check = mini.squares.check_path
    check.write_text(check.read_text().replace("def test_a_matrix", "@pytest.mark.timeout(1)\ndef test_a_matrix"))
    check.write_text(check.read_text().replace("import torch", "import pytest\nimport torch", 1))
    assert named(mini, "return x + x") == ["doubled"]
    assert named(mini, f"if x.dim() == 2: {body}\n    return x + x") == []


def test_nothing_is_named_for_an_answer_that_does_not_load(mini):
    assert named(mini, "return x + x", head="import no_such_package\n") == []
    assert named(mini, "return x + (x") == []


@pytest.mark.parametrize(("state", "asked"), [("failed", 1), ("escaped", 1), ("timeout", 0), ("broken", 0)])
def test_a_failure_is_compared_at_its_own_seed_and_not_where_the_answer_did_not_end(mini, monkeypatch, state, asked):
    seeds = []
    ran = Result(FIRST, CheckState(state), CheckFailed("x", 1, 2))
    monkeypatch.setattr(judge, "run_check", lambda *_, **__: ran)
    monkeypatch.setattr(diagnose, "diagnose", lambda exercise, source, name, seed: seeds.append(seed))
    source = Source(mini.squares.answer_path, SQUARES)
    check = vectors.checks_for(mini.squares)[0]
    assert judge.judge(judge.Task(mini.squares, check, source, seed=3, limit=10.0)).state == state
    assert seeds == [3] * asked


def test_every_seed_has_its_own_vectors(mini):
    source = Source(mini.squares.answer_path, apply(mini.squares.card.mistakes[0], 0, SQUARES))
    for seed in (0, 3):
        found = diagnose.diagnose(mini.squares, source, FIRST, seed)
        assert [mistake.id for mistake in found.mistakes] == ["doubled"]
    assert len(list((mini.root / ".tunelings" / "vectors").glob("1.01-*.json"))) == 2


def test_a_check_that_trains_is_not_run_for_the_diagnosis(mini):
    source = Source(mini.shift.answer_path, "def shift(x, by=1.0):\n    return x + by\n")
    assert list(vectors.vector_of(mini.shift, source, 0)) == ["test_each_number_moves", "test_the_argument_stays"]


def test_a_check_that_skips_itself_takes_no_part(mini):
    check = mini.squares.check_path
    check.write_text(check.read_text() + "\n\ndef test_last(answer):\n    import pytest; pytest.skip('not here')\n")
    assert named(mini, "return x + x") == ["doubled"]


# The rule itself, on vectors made by hand.


def outcome(check: str, value=None, what="x", notes=None, status="failed") -> Outcome:
    return Outcome(
        check, CheckState(status), what, fingerprint(value), {n: fingerprint(v) for n, v in (notes or {}).items()}
    )


def vector(**values) -> dict[str, Outcome]:
    """Entries by check; None is a passed check."""
    passed = {name: Outcome(name, CheckState.PASSED, "", None, {}) for name, value in values.items() if value is None}
    return {n: passed.get(n) or (v if isinstance(v, Outcome) else outcome(n, v)) for n, v in values.items()}


def mistake(name: str) -> Mistake:
    return Mistake(name, f"{name}.", ((("a", "b"),),))


def by_rule(learner, first="a", **mistakes):
    found = name_mistake(learner, [(mistake(n.rstrip("_")), v) for n, v in mistakes.items()], first)
    return ([m.id for m in found.mistakes], found.unexplained) if found else None


def test_other_failures_are_counted_where_the_mistake_does_not_explain_them():
    learner = vector(a=1.0, b=2.0, c=3.0, d=None)
    assert by_rule(learner, one=vector(a=1.0, b=2.0, c=None, d=None)) == (["one"], 1)
    assert by_rule(learner, one=vector(a=1.0, b=None, c=None, d=None)) == (["one"], 2)
    assert by_rule(learner, one=vector(a=1.0, b=2.0, c=3.0, d=None)) == (["one"], 0)


def test_the_one_that_agrees_on_most_checks_is_named():
    learner = vector(a=1.0, b=2.0, c=None)
    assert by_rule(learner, less=vector(a=1.0, b=None, c=None), more=vector(a=1.0, b=2.0, c=None)) == (["more"], 0)


def test_a_mistake_that_fails_a_check_which_the_answer_passes_is_not_named():
    assert by_rule(vector(a=1.0, b=None), one=vector(a=1.0, b=2.0)) is None
    assert by_rule(vector(a=1.0, b=2.0, c=None), one=vector(a=1.0, b=2.0, c=3.0)) is None


def test_a_mistake_may_fail_one_check_more_for_each_three_that_agree():
    learner = vector(a=1.0, b=2.0, c=3.0, d=None, e=None)
    assert by_rule(learner, one=vector(a=1.0, b=2.0, c=3.0, d=4.0, e=None)) == (["one"], 0)
    assert by_rule(learner, one=vector(a=1.0, b=2.0, c=3.0, d=4.0, e=5.0)) is None


def test_a_near_miss_gives_every_failure_of_the_answer_to_the_value():
    learner = vector(a=1.0, b=2.0, c=3.0, d=4.0, e=None)
    assert by_rule(learner, one=vector(a=1.0, b=2.0, c=3.0, d=4.0, e=5.0)) == (["one"], 0)
    assert by_rule(learner, one=vector(a=1.0, b=2.0, c=3.0, d=9.0, e=5.0)) is None
    assert by_rule(learner, one=vector(a=1.0, b=2.0, c=3.0, d=None, e=5.0)) is None
    assert by_rule(learner, one=vector(a=1.0, b=2.0, c=3.0, d=outcome("d", 4.0, what="y"), e=5.0)) is None


def test_a_near_miss_first_fails_where_the_answer_does():
    learner = vector(a=None, b=1.0, c=2.0, d=3.0)
    assert by_rule(learner, first="b", one=vector(a=9.0, b=1.0, c=2.0, d=3.0)) is None


def test_what_fails_alike_in_all_comes_before_a_near_miss():
    learner = vector(a=1.0, b=2.0, c=3.0, d=None)
    near, whole = vector(a=1.0, b=2.0, c=3.0, d=4.0), vector(a=1.0, b=2.0, c=3.0, d=None)
    assert by_rule(learner, near=near, whole=whole) == (["whole"], 0)
    assert by_rule(learner, near=near, other=vector(a=1.0, b=2.0, c=3.0, d=5.0)) == (["near", "other"], 0)


def test_a_later_check_must_fail_at_the_same_expectation_but_may_have_another_value():
    learner = vector(a=1.0, b=2.0)
    assert by_rule(learner, one=vector(a=1.0, b=7.0)) == (["one"], 0)
    assert by_rule(learner, one=vector(a=1.0, b=outcome("b", 2.0, what="y"))) is None
    assert by_rule(learner, one=vector(a=1.0, b=outcome("b", 2.0, status="crashed"))) is None


def test_the_notes_of_a_check_are_its_own(mini):
    first, second = (mini.run(mini.squares, SQUARES, check) for check in mini.squares.check_names()[:2])
    assert (list(first.notes), list(second.notes)) == (["x"], [])


def test_the_notes_of_the_first_failing_check_must_agree():
    learner = vector(a=outcome("a", 1.0, notes={"mode": "train", "calls": 2}))
    assert by_rule(learner, one=vector(a=outcome("a", 1.0, notes={"mode": "train", "calls": 2}))) == (["one"], 0)
    assert by_rule(learner, one=vector(a=outcome("a", 1.0, notes={"mode": "eval", "calls": 2}))) is None
    assert by_rule(learner, one=vector(a=outcome("a", 1.0, notes={"mode": "train"}))) is None


def test_a_random_value_agrees_with_a_random_value():
    learner = vector(a=Outcome("a", CheckState.FAILED, "x", RANDOM, {}))
    assert by_rule(learner, one=vector(a=Outcome("a", CheckState.FAILED, "x", RANDOM, {}))) == (["one"], 0)
    assert by_rule(learner, one=vector(a=1.0)) is None


def test_two_forms_of_one_mistake_are_one():
    learner = vector(a=1.0, b=2.0)
    assert by_rule(learner, one=vector(a=1.0, b=2.0), one_=vector(a=1.0, b=2.0)) == (["one"], 0)
    assert by_rule(learner, one=vector(a=1.0, b=None), one_=vector(a=1.0, b=2.0)) == (["one"], 0)


def test_a_mistake_that_was_cut_short_is_not_named():
    assert by_rule(vector(a=1.0, b=None), one=vector(a=1.0)) is None


def test_the_first_failing_check_is_the_first_in_the_file():
    assert diagnose.first_failing(vector(a=None, b=1.0, c=2.0)) == "b"
    assert diagnose.first_failing(vector(a=None, b=None)) is None


def test_leave_one_out_counts_the_names_that_a_form_gets_from_other_mistakes():
    alike = [(mistake("one"), vector(a=1.0, b=None)), (mistake("two"), vector(a=1.0, b=None))]
    apart = [(mistake("two"), vector(a=3.0, b=None)), (mistake("passes"), vector(a=None, b=None))]
    assert [(m.id, [n.id for n in found.mistakes]) for m, found in diagnose.leave_one_out(alike)] == [
        ("one", ["two"]),
        ("two", ["one"]),
    ]
    assert diagnose.leave_one_out([alike[0], *apart]) == []
    assert diagnose.leave_one_out([alike[0], alike[0]]) == []  # Two forms of one mistake.


# The cache of the mistakes' vectors.


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The file names of the mistakes that were run."""
    seen: list[str] = []
    run = vectors.run_apart

    def counted(check, source, *rest):
        seen.append(source.path.name)
        return run(check, source, *rest)

    monkeypatch.setattr(vectors, "run_apart", counted)
    return seen


def of_mistakes(runs: list[str]) -> set[str]:
    found = {name for name in runs if name != "ex01_squares.py"}
    runs.clear()
    return found


def cache_of(mini) -> Path:
    (cache,) = (mini.root / ".tunelings" / "vectors").glob("1.01-0-*.json")
    return cache


def test_a_second_failure_runs_no_mistake_again(mini, runs):
    assert named(mini, "return x + x") == ["doubled"]
    assert len(of_mistakes(runs)) == 6  # Five mistakes, one of them in two forms.
    assert named(mini, "return 2 * x") == ["doubled"]
    assert of_mistakes(runs) == set()


@pytest.mark.parametrize("path", ["check_path", "card_path", "solution_path"])
def test_an_edit_of_check_card_or_solution_makes_the_cache_stale(mini, runs, path):
    named(mini, "return x + x")
    old = cache_of(mini)
    edited = getattr(mini.squares, path)
    edited.write_text(edited.read_text() + "\n# edited\n")
    of_mistakes(runs)
    assert named(mini, "return x + x") == ["doubled"]
    assert len(of_mistakes(runs)) == 6
    assert cache_of(mini) != old


@pytest.mark.parametrize(
    "damage", ["", "[", "null", "[1, 2]", "[{}]", '[{"a": {"check": "a"}}]', "[]", '{"a": 1}', "7"]
)
def test_a_damaged_cache_is_made_anew(mini, runs, damage):
    named(mini, "return x + x")
    whole = cache_of(mini).read_text()
    cache_of(mini).write_text(damage)
    of_mistakes(runs)
    assert named(mini, "return x + x") == ["doubled"]
    assert len(of_mistakes(runs)) == 6
    assert json.loads(cache_of(mini).read_text()) == json.loads(whole)


def test_a_cache_that_is_no_text_is_made_anew(mini, runs):
    named(mini, "return x + x")
    cache_of(mini).write_bytes(b"\xff\xfe\x00")
    assert named(mini, "return x + x") == ["doubled"]


def test_a_folder_that_cannot_be_written_costs_time_and_no_name(mini, runs):
    (mini.root / ".tunelings").write_text("a file where the folder should be")
    for _ in range(2):
        assert named(mini, "return x + x") == ["doubled"]
        assert len(of_mistakes(runs)) == 6
    assert (mini.root / ".tunelings").is_file()


# How a mistake becomes text.


def test_the_edits_of_a_form_are_all_applied():
    two = Mistake("two", "two.", (((" + b", " - b"), ("return", "yield")),))
    assert apply(two, 0, "return a + b\n") == "yield a - b\n"


@pytest.mark.parametrize(
    "solution, edits, told",
    [
        ("a + b", [("c", "d")], "bad: 'c' stands 0 times in the solution, not once."),
        ("a + b + a", [("a", "d")], "bad: 'a' stands 2 times in the solution, not once."),
        ("a + b", [("a + b", "d"), ("b", "e")], "bad: 'b' was changed by an edit before it."),
    ],
)
def test_an_edit_that_does_not_fit_the_solution_once_is_an_error(solution, edits, told):
    with pytest.raises(CourseError) as caught:
        apply(Mistake("bad", "bad.", (tuple(edits),)), 0, solution)
    assert str(caught.value) == told
