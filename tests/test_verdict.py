"""A verdict is data: it survives JSON, and `tunelings run --json` is as its schema says."""

from __future__ import annotations

import json
import math
from dataclasses import fields

import jsonschema
import pytest

from tests.conftest import ROOT
from tests.support.miniature import SQUARES
from tunelings.grading.runs import Run
from tunelings.grading.states import CheckState, ExerciseState
from tunelings.grading.stubs import uncut
from tunelings.grading.verdict import Difference, Failure, Frame, NamedMistake, Verdict, from_json, to_json

SCHEMA = json.loads((ROOT / "docs" / "assets" / "verdict.schema.json").read_text(encoding="utf-8"))
RIGHT = uncut(SQUARES)
FULL = Failure(
    "test_it_holds",
    CheckState.FAILED,
    "what",
    "1",
    "2",
    Difference((0, 3), 1.5),
    "remark",
    "message",
    ("squares",),
    (NamedMistake("one", "so.", "1 is not 2."),),
    3,
    "the card is broken",
    (Frame(7, "squares", "return x"),),
    7,
    "x=3",
    "answer.squares(x).loss",
)
LATER = {"given", "used"}  # Fields that an older writer leaves out.


def printed(tunelings, *args: str, code: int) -> dict:
    said = tunelings("run", *args, "--json")
    assert (said.code, said.err) == (code, "")
    found = json.loads(said.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    jsonschema.validate(found, SCHEMA)
    return found


@pytest.mark.parametrize("failure", [None, FULL, Failure("test_x", CheckState.NOT_STARTED)])
def test_a_verdict_survives_json(failure):
    verdict = Verdict("1.01", "Squares", "docs/", "a.py", ExerciseState.FAILED, {"test_x": CheckState.CRASHED}, failure)
    assert from_json(json.loads(json.dumps(to_json(verdict), allow_nan=False))) == verdict


def test_a_verdict_of_an_older_writer_is_read():
    plain = to_json(Verdict("1.01", "Squares", "docs/", "a.py", ExerciseState.FAILED, {}, FULL))
    for name in LATER:
        del plain["failure"][name]
    failure = from_json(plain).failure
    assert (failure.given, failure.used, failure.what) == ("", "", "what")


@pytest.mark.parametrize("largest", [math.inf, math.nan])
def test_a_difference_that_is_no_number_survives_json(largest):
    failure = Failure("test_x", CheckState.FAILED, difference=Difference(None, largest))
    plain = to_json(Verdict("1.01", "Squares", "docs/", "a.py", ExerciseState.FAILED, {}, failure))
    back = from_json(json.loads(json.dumps(plain, allow_nan=False))).failure.difference.largest
    assert repr(back) == repr(largest)


@pytest.mark.parametrize("damage", [{"state": "odd"}, {"checks": {"test_x": "odd"}}, {"failure": {"check": "test_x"}}])
def test_what_is_no_verdict_is_refused(damage):
    plain = to_json(Verdict("1.01", "Squares", "docs/", "a.py", ExerciseState.FAILED))
    with pytest.raises((KeyError, TypeError, ValueError)):
        from_json({**plain, **damage})


def test_the_schema_names_every_field_and_every_state():
    for kind, name, added in ((Verdict, "verdict", set()), (Failure, "failure", {"sentence"})):
        described = SCHEMA["$defs"][name]
        assert set(described["properties"]) == {field.name for field in fields(kind)} | added
        assert set(described["required"]) == set(described["properties"]) - (LATER if kind is Failure else set())
    assert set(SCHEMA["$defs"]["checkState"]["enum"]) == set(CheckState)
    assert set(SCHEMA["$defs"]["verdict"]["properties"]["state"]["enum"]) == set(ExerciseState)


def test_a_failure_counts_before_a_todo_that_is_left(mini):
    run = Run(mini.squares, mini.squares.answer_path, "", checks={"a": CheckState.FAILED, "b": CheckState.TODO})
    assert run.state == "failed"
    run.checks["a"] = CheckState.PASSED
    assert run.state == "in progress"


def test_every_state_has_a_mark_and_a_word():
    for state in (*CheckState, *ExerciseState):
        assert len(state.mark) == 1 and state.word


def test_a_module_as_json(tunelings, mini):
    mini.solve(mini.squares, "x * x", "x + x")
    found = printed(tunelings, "module01", code=1)
    squares, shift = found["verdicts"]
    assert (squares["number"], squares["state"], shift["state"]) == ("1.01", "failed", "not started")
    assert shift["failure"]["state"] == "not started" and shift["checks"] == {}
    failure = squares["failure"]
    assert failure["sentence"] == "each number is squared" and failure["what"] == "squares([3, -1, 0.5])"
    assert failure["got"] == "[ 6.000, -2.000,  1.000]" and failure["difference"]["first"] == [0]
    assert failure["mistakes"] == [
        {
            "id": "doubled",
            "says": "each number is added to itself and not multiplied.",
            "shows": "6 is 3 + 3.",
        }
    ]
    assert failure["line"] == RIGHT.splitlines().index("def squares(x: Tensor) -> Tensor:") + 1


def test_all_that_can_go_wrong_fits_the_schema(tunelings, mini):
    bodies = {
        "return x / 0": "failed", "return x.nope()": "crashed", "return squares(x)": "crashed", "return x *": "broken",
        "raise SystemExit": "escaped", "raise NotImplementedError('TODO')": "todo", "return None": "failed",
    }  # fmt: skip
    for body, state in bodies.items():
        mini.answer(mini.squares, RIGHT.replace("return x * x", body))
        verdict = printed(tunelings, "1.01", code=1)["verdicts"][0]
        assert verdict["failure"]["state"] == state, body
        assert from_json(verdict).failure.state == CheckState(state)


def test_a_right_answer_has_no_failure(tunelings, mini):
    mini.solve(mini.squares)
    (verdict,) = printed(tunelings, "1.01", code=0)["verdicts"]
    assert verdict["state"] == "passed" and verdict["failure"] is None
    assert set(verdict["checks"].values()) == {"passed"}
