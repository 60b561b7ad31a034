"""Events: what is written on the wire is what is read from it, and anything else is said to be damaged."""

from __future__ import annotations

import json
import math
from typing import get_args

import pytest

from tunelings.grading.states import CheckState, ExerciseState
from tunelings.grading.verdict import Difference, Failure, Verdict
from tunelings.watch import events

FAILURE = Failure("test_two", CheckState.FAILED, "what", got="two\nlines", difference=Difference((0,), math.inf))
VERDICT = Verdict(
    "1.05",
    "Training step",
    "docs/module01/training-step/",
    "exercises/module01/ex05_training_step.py",
    ExerciseState.FAILED,
    {"test_one": CheckState.PASSED, "test_two": CheckState.FAILED},
    FAILURE,
)
EVENTS = [
    events.Ready(),
    events.Started(123),
    events.Checking("test_one", 10.0),
    events.Checked(),
    events.Reported(0.25, "epoch 2, loss 0.31"),
    events.Verdicts((VERDICT, VERDICT)),
    events.Error("ValueError: \ud800 \u2028"),
    events.Ended(),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_one_line_and_comes_back_as_it_was(event: events.FromWorker):
    line = events.to_json(event)
    assert line.endswith("\n") and len(line.splitlines()) == 1
    assert events.from_json(line) == event
    assert f'{{"event": "{json.loads(line)["event"]}"' in events.__doc__, "the description of the wire"


def test_every_event_that_is_written_is_tried_here():
    assert {type(event) for event in EVENTS} == set(get_args(events.FromWorker)) - {events.Died}


def test_a_request_is_one_line_and_comes_back_as_it_was():
    request = events.Request(("1.05", "1.06"), 3)
    line = events.request_to_json(request)
    assert line.endswith("\n") and len(line.splitlines()) == 1
    assert events.request_from_json(line) == request


@pytest.mark.parametrize("line", ["", "[]", '{"seed": 0}', '{"numbers": [1.05], "seed": 0}'])
def test_a_damaged_request_says_so(line: str):
    with pytest.raises(events.DamagedLine):
        events.request_from_json(line)


def test_a_whole_number_will_do_for_a_limit():
    assert events.from_json('{"event": "checking", "check": "test_one", "limit": 10}') == events.Checking(
        "test_one", 10.0
    )


def test_a_word_or_a_field_that_is_not_known_is_passed_over():
    assert events.from_json('{"event": "hurried", "by": 2}') is None
    assert events.from_json('{"event": "started", "pid": 123, "cores": 2}') == events.Started(123)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "\n",
        "no message",
        '{"event": "checking", "che',
        "3",
        "[]",
        "null",
        "{}",
        '{"event": ["ended"]}',
        '{"event": "started"}',
        '{"event": "started", "pid": "123"}',
        '{"event": "checking", "check": "test_one", "limit": null}',
        '{"event": "progress", "done": "half", "text": ""}',
        '{"event": "verdicts", "verdicts": {}}',
        '{"event": "verdicts", "verdicts": ["passed"]}',
        '{"event": "verdicts", "verdicts": [{"number": "1.05"}]}',
        events.to_json(events.Verdicts((VERDICT,))).replace('"test_one": "passed"', '"test_one": "odd"'),
        events.to_json(events.Verdicts((VERDICT,))).replace('"first": [0]', '"first": 0'),
        "[" * 200_000,
    ],
    ids=lambda line: line[:30],
)
def test_any_other_line_is_damaged(line: str):
    with pytest.raises(events.DamagedLine):
        events.from_json(line)
