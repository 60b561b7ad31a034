"""Two values that are not the same never read alike: the place, the digits or the type that parts them is shown."""

from __future__ import annotations

import math
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tunelings import expect
from tunelings.expect import CheckFailed
from tunelings.grading.parting import pair_of

F64 = torch.float64
Point = namedtuple("Point", "x y")


@dataclass
class Report:
    loss: float
    names: list


def one_hot(n, place, value=1.0):
    numbers = torch.zeros(n, dtype=F64)
    numbers[place] = value
    return numbers


CASES = [
    # expected, got, and the two lines with what is said of them
    (3, 4, ("3", "4", "")),
    (0.3, 0.30001, ("0.30000", "0.30001", "")),
    (0.1 + 0.2, 0.3, ("0.30000000000000004", "0.29999999999999999", "")),
    (1e9, 1e9 + 1, ("1.000000000e+09", "1.000000001e+09", "")),
    (1.0, torch.tensor(1.5), ("1.000", "1.500", "type Tensor, expected type float")),
    (1, "1", ("1", "'1'", "type str, expected type int")),
    ("a Python float", "1", ("a Python float", "1", "")),
    ("above 0.8", 0.7, ("above 0.8", "0.7000", "")),
    ("a", "a ", ("'a'", "'a '", "")),
    ("", "a", ("''", "'a'", "")),
    ("two lines", "two\nlines", ("'two lines'", "'two\\nlines'", "")),
    ("caf\u00e9", "cafe\u0301", ("'caf\\xe9'", "'cafe\\u0301'", "")),
    (
        "a" * 200 + "b",
        "a" * 200 + "c",
        ("…" + "a" * 60 + "b", "…" + "a" * 60 + "c", "differs first at character 200"),
    ),
    ([1, 2], [1, 3], ("[1, 2]", "[1, 3]", "differs first at [1]")),
    ([1, 2], (1, 2), ("[1, 2]", "(1, 2)", "type tuple, expected type list")),
    ([1, 2], [1, 2, 3], ("[1, 2]", "[1, 2, 3]", "length 3, expected length 2")),
    ([], [1], ("[]", "[1]", "")),
    (
        ["a"] * 50 + ["b"],
        ["a"] * 51,
        ("from [43] [" + "'a', " * 7 + "'b']", "from [43] [" + "'a', " * 7 + "'a']", "differs first at [50]"),
    ),
    (
        list(range(20)),
        [*range(18), 0, 0],
        (
            "from [11] [11, 12, 13, 14, 15, 16, 17, 18, …]",
            "from [11] [11, 12, 13, 14, 15, 16, 17, 0, …]",
            "differs first at [18]",
        ),
    ),
    (
        [0.1, 0.2, 0.30000001],
        [0.1, 0.2, 0.3],
        ("[0.10000000, 0.20000000, 0.30000001]", "[0.10000000, 0.20000000, 0.30000000]", "differs first at [2]"),
    ),
    (
        [["x" * 30] * 4 + ["a"]],
        [["x" * 30] * 4 + ["b"]],
        (
            f"at [0] from [2] ['{'x' * 30}', '{'x' * 30}', 'a']",
            f"at [0] from [2] ['{'x' * 30}', '{'x' * 30}', 'b']",
            "differs first at [0][4]",
        ),
    ),
    ({"a": 1, "b": 2}, {"a": 1, "b": 3}, ("{'b': 2, …}", "{'b': 3, …}", "")),
    ({"a": 1}, {"a": 1, "b": 3}, ("{…}", "{'b': 3, …}", "additional: 'b'")),
    ({"a": 1, "c": 0}, {"a": 2, "b": 3}, ("{'c': 0, 'a': 1}", "{'b': 3, 'a': 2}", "missing: 'c'; additional: 'b'")),
    (
        {"ids": [1, 2, 3], "m": 1},
        {"ids": [1, 5, 3], "m": 1},
        ("at ['ids'] [1, 2, 3]", "at ['ids'] [1, 5, 3]", "differs first at ['ids'][1]"),
    ),
    (Report(1.0, ["a"]), Report(1.0, ["b"]), ("at .names ['a']", "at .names ['b']", "")),
    (Report(1.0, []), Report(2.0, []), ("at .loss 1.000", "at .loss 2.000", "")),
    (Point(1, 2), Point(1, 3), ("at .y 2", "at .y 3", "")),
    (SimpleNamespace(a=1), SimpleNamespace(a=2), ("at .a 1", "at .a 2", "")),
    ({1, 2, 3}, {1, 2, 4}, ("{3, 1, 2}", "{4, 1, 2}", "missing: 3; additional: 4")),
    (
        set(range(30)),
        set(range(29)),
        ("{29, 0, 1, 10, 11, 12, 13, 14, …}", "{0, 1, 10, 11, 12, 13, 14, 15, …}", "missing: 29"),
    ),
    (b"a" * 99 + b"x", b"a" * 99 + b"y", ("…" + "a" * 60 + "x'", "…" + "a" * 60 + "y'", "")),
    (
        torch.arange(12),
        torch.arange(12) + (torch.arange(12) == 10),
        ("from [3] [3, 4, 5, 6, 7, 8, 9, 10, …]", "from [3] [3, 4, 5, 6, 7, 8, 9, 11, …]", "differs first at [10]"),
    ),
    (
        torch.tensor([[1, 2], [3, 5]]),
        torch.tensor([[1, 2], [3, 4]]),
        ("at [1] [3, 5]", "at [1] [3, 4]", "differs first at [1, 1]"),
    ),
    ([torch.tensor([1, 2])], [torch.tensor([1, 3])], ("at [0] [1, 2]", "at [0] [1, 3]", "differs first at [0][1]")),
    (
        torch.tensor([1.0], dtype=F64),
        torch.tensor([1.0 + 1e-9], dtype=F64),
        ("[1.000000000]", "[1.000000001]", "differs first at [0]"),
    ),
    ({"a": 1.0}, {"a": math.nan}, ("{'a': 1.000}", "{'a': nan}", "")),
]


@pytest.mark.parametrize("expected, got, shown", CASES, ids=lambda value: ascii(value)[:30])
def test_the_place_where_two_values_part_is_in_both_lines(expected, got, shown):
    assert tuple(pair_of(expected, got)) == shown


@pytest.mark.parametrize(
    "expected, got, shown",
    [
        (1.0, np.float64(1.0), ("1.000 (float)", "1.000 (numpy.float64)")),
        ([1, 2], [1, np.int64(2)], ("[1, 2] ([1]: int)", "[1, 2] ([1]: numpy.int64)")),
        (
            {"a": [1.0]},
            {"a": [np.float64(1.0)]},
            ("at ['a'] [1.000] ([0]: float)", "at ['a'] [1.000] ([0]: numpy.float64)"),
        ),
        ({"a": 1}, OrderedDict(a=1), ("{…} (dict)", "{…} (collections.OrderedDict)")),
        (
            torch.ones(2),
            torch.ones(2, dtype=F64),
            ("[ 1.000,  1.000] (tensor of float32, shape [2])", "[ 1.000,  1.000] (tensor of float64, shape [2])"),
        ),
        (1, True, ("1", "True")),
    ],
)
def test_values_that_differ_in_their_type_alone_show_it(expected, got, shown):
    assert pair_of(expected, got)[:2] == shown
    with pytest.raises(CheckFailed):
        expect.equal(got, expected, what="x", exact_types=True)


def test_the_row_that_is_shown_is_the_one_that_is_said_to_differ():
    expected, got = torch.zeros(3, 9, dtype=F64), torch.zeros(3, 9, dtype=F64)
    got[0, 8], got[2, 0] = 1e-3, 100.0
    with pytest.raises(CheckFailed) as caught:
        expect.close(got, expected, what="x")
    error = caught.value
    assert error.first == (0, 8)
    assert pair_of(error.expected, error.actual, error.first).got.startswith("at [0, 1:] [")
    assert "0.001000]" in pair_of(error.expected, error.actual, error.first).got


def test_a_list_and_a_tensor_are_shown_in_one_form():
    with pytest.raises(CheckFailed) as caught:
        expect.close([1, 2.5], torch.tensor([1.0, 2.0]), what="x")
    error = caught.value
    assert pair_of(error.expected, error.actual, error.first)[:2] == ("[ 1.000,  2.000]", "[ 1.000,  2.500]")


def test_two_that_cannot_be_told_apart_are_said_to_differ():
    class Same:
        def __repr__(self):
            return "the same"

    assert pair_of(Same(), Same()) == ("the same", "the same", "the two look the same here, but differ")


@pytest.mark.parametrize("place", [0, 5, 7, 8, 250, 999])
@pytest.mark.parametrize("by", [1e-14, 1e-9, 1e-4, 1.0, 1e12])
def test_wherever_two_tensors_part_the_lines_part(place, by):
    expected, got = torch.ones(1000, dtype=F64), torch.ones(1000, dtype=F64) + one_hot(1000, place, by)
    for e, g in ((expected, got), (expected.tolist(), got.tolist()), (expected.reshape(10, 100), got.reshape(10, 100))):
        pair = pair_of(e, g)
        assert pair.expected != pair.got
        assert max(len(pair.expected), len(pair.got)) <= 200
