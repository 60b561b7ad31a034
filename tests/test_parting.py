"""Two values that are not the same never read alike: the place, the digits or the type that parts them is shown.

Long: 13 tests, by kind of value.
"""

from __future__ import annotations

import math
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tunelings import expect
from tunelings.expect import CheckFailed
from tunelings.grading.failures import failure_of
from tunelings.grading.parting import pair_of
from tunelings.grading.run import Result
from tunelings.grading.states import CheckState
from tunelings.grading.values import given_text
from tunelings.handson import tiny

F64 = torch.float64
Point = namedtuple("Point", "x y")


@dataclass
class Report:
    loss: float
    names: list


def raising(error):
    def raise_it():
        raise error

    return raise_it


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

    remark = "the two look the same, but are not one and the same object"
    assert pair_of(Same(), Same()) == ("the same", "the same", remark)
    assert pair_of(Equal(), Equal()) == ("an equal", "an equal", "the two look the same here, but differ")
    assert pair_of("less", "less") == ("'less'", "'less'", "the two are the same, and the check asks for more")


class Equal:
    """Of a class that has an == of its own."""

    def __repr__(self):
        return "an equal"

    def __eq__(self, other):
        return False


A = "a" * 60
E_ACUTE, ACUTE, CYRILLIC_A, HYPHEN = "\u00e9", "e\u0301", "\u0430", "\u2010"
ALIKE = {
    # expected, got, the place that the lines show, and the words
    "the length of a text in a list": (["a" * 41], ["a" * 40], "at [0] '", "; length 40, expected length 41"),
    "the length of a text in a dict": ({"k": "a" * 41}, {"k": "a" * 40}, "at ['k'] '", "differs first at character 40"),
    "the end of a text": (["a" * 39 + "bbbbb"], ["a" * 39 + "c"], "at [0] 'aaa", "first at character 39"),
    "the end of a longer text": (A + A, A + A + "a", "…", "character 120; length 121, expected length 120"),
    "a member": ({A + "x"}, {A + "y"}, "{…aaa", f"missing: …{'a' * 20}x'; additional: …aaaa"),
    "a member more": ({A + "x", A + "y"}, {A + "x"}, "{", f"missing: …{'a' * 20}y'"),
    "one member of many": (
        {A + c for c in "abcdefghijk"}, {A + c for c in "abcdefghij"}, "{", f"missing: …{'a' * 20}k'"
    ),
    "a key": ({A + "x": 1}, {A + "y": 1}, "{…aaa", f"missing: …{'a' * 20}x'; additional: …aaaa"),
    "a member of a set in a list": ([set(range(20))], [set(range(20)) - {9}], "at [0] {", "missing: 9"),
    "a set in a dict": ({"k": frozenset(range(30))}, {"k": frozenset(range(29))}, "at ['k'] {", "missing: 29"),
    "an array": (np.arange(20.0), np.arange(20.0) + np.eye(20)[15], "from [8] [ 8.000", "differs first at [15]"),
    "an array in a dict": (
        {"a": np.arange(20)}, {"a": np.arange(20) + (np.arange(20) == 15)},
        "at ['a'] from [8] [8, 9", "first at ['a'][15]",
    ),
    "an array of texts": (np.array([A + "x"] * 20), np.array([A + "y"] * 20), "at [0] aaa", "character 60"),
    "the dtype of an array": (np.arange(20), np.arange(20.0), "an array of shape [20] (array of ", ""),
    "a long number": ([10**200], [10**200 + 1], "at [0] …000", "differs first at digit 201"),
    "the digits of a number": (10**201, 10**200, "…000", "201 digits, expected 202 digits"),
    "a longer number": ([10**5000], [10**5000 + 1], "at [0] …000", "differs first at digit"),
    "a small number": ([1.5e-4], [math.nextafter(1.5e-4, 1)], "[0.0001", ""),
    "another letter": (
        "paypal", f"p{CYRILLIC_A}ypal", "p",
        "differs first at character 1: U+0430 CYRILLIC SMALL LETTER A, expected U+0061 LATIN SMALL LETTER A",
    ),
    "another hyphen": ("a-b", f"a{HYPHEN}b", "a", "character 1: U+2010 HYPHEN, expected U+002D HYPHEN-MINUS"),
    "what is not seen": ("ab", "ab\u3164", "ab", "character 2: U+3164 HANGUL FILLER, expected the end"),
    "a letter in a list": (["a", "paypal"], ["a", f"p{CYRILLIC_A}ypal"], "['a', 'p", "at [1], character 1: U+0430"),
    "an accent in a dict": ({"k": E_ACUTE}, {"k": ACUTE}, "{'k': '", "first at ['k'], character 0: U+0065"),
    "a letter in a key": (
        {"paypal": 1}, {f"p{CYRILLIC_A}ypal": 1},
        "{'p", f"'p{CYRILLIC_A}ypal', which differ first at character 1: U+0430",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ALIKE)
def test_what_would_read_alike_is_told_apart(name):
    expected, got, begins, said = ALIKE[name]
    pair = pair_of(expected, got)
    assert pair.expected != pair.got
    assert pair.expected.startswith(begins) and pair.got.startswith(begins) and said in pair.remark
    assert "look the same" not in pair.remark and max(map(len, pair)) <= 200


@pytest.mark.parametrize(
    "value, first",
    [(math.nan, None), ([math.nan], None), ([complex(math.nan)], None), (torch.tensor([math.nan]), (0,))],
)
def test_of_nan_it_is_said_that_it_equals_nothing(value, first):
    error = CheckFailed("x", value, value, first=first, largest=math.nan if first else None)
    failure = failure_of(lambda answer: None, Result("test_x", CheckState.FAILED, error), Path("none.py"))
    assert failure.expected == failure.got and "nan" in failure.got
    assert failure.difference is None and failure.remark == "both are nan, which equals nothing, not even nan"


def test_of_what_was_changed_both_are_said_that_it_was_and_where():
    tokenizer = tiny.chat_tokenizer()
    with pytest.raises(CheckFailed) as caught, expect.untouched("the tokenizer", tokenizer):
        tokenizer.add_tokens(["kiwi", "plum"])  # Words that it knows: no number changes.
    failure = failure_of(lambda answer: None, Result("test_x", CheckState.FAILED, caught.value), Path("none.py"))
    assert failure.what == "the tokenizer: added tokens"
    assert failure.remark == "additional: 'kiwi', 'plum'; changed, and must not be"


@pytest.mark.parametrize("kind", [torch.tensor, np.array])
def test_two_nan_are_not_the_place_where_two_values_part(kind):
    before, after = kind([[0.5, math.nan], [1.5, math.nan]]), kind([[0.5, math.nan], [7.0, math.nan]])
    pair = pair_of(before, after)
    assert [line[:13] for line in pair[:2]] == ["at [1] [ 1.50", "at [1] [ 7.00"]
    assert pair.remark == "differs first at [1, 0]"
    assert pair_of({"x": before}, {"x": after}).remark == "differs first at ['x'][1, 0]"
    with pytest.raises(CheckFailed) as caught, expect.untouched("what was given", {"hidden": before}):
        before[1, 0] = 7.0
    shown = pair_of(caught.value.expected, caught.value.actual, caught.value.first)
    assert shown.expected.startswith("at [1] [ 1.500") and shown.got.startswith("at [1] [ 7.000")


@pytest.mark.parametrize(
    ("error", "mentions", "expected", "got"),
    [
        (RuntimeError(f"needs {'x' * 50}"), [], "ValueError", f"RuntimeError: needs {'x' * 50}"),
        (ValueError(f"needs {'x' * 50}"), ["rank"], "a text with rank", f"needs {'x' * 50}"),
        (ValueError(""), ["rank"], "a text with rank", "''"),
    ],
)
def test_the_error_that_came_is_no_text_to_compare_with_what_was_wanted(error, mentions, expected, got):
    with pytest.raises(CheckFailed) as caught:
        expect.raises(ValueError, raising(error), "rank 0", mentions=mentions)
    assert pair_of(caught.value.expected, caught.value.actual) == (expected, got, "")


class Thing:
    pass


def test_an_object_is_shown_by_its_class():
    inner = type("Thing", (), {"__module__": "tunelings_answer_0_ex49_squares"})
    assert pair_of(1, Thing()).got == "an object of class Thing"
    assert pair_of([1], [inner()]).got == "[an object of class Thing]"
    assert pair_of(1, inner).got == "<class 'Thing'>"
    assert pair_of(1, len.__call__).got == "<method-wrapper '__call__' of builtin_function_or_method object>"
    assert "tunelings_answer" not in "".join(pair_of(Thing, inner)) and "0x" not in given_text({"x": [Thing()]})


class Refuses:
    def __eq__(self, other):
        raise ZeroDivisionError


def test_an_object_that_cannot_be_compared_is_shown_without_its_address():
    assert all(line.endswith("Refuses object>") for line in pair_of(Refuses(), Refuses())[:2])
    assert all(line.endswith("Refuses object>]") for line in pair_of([Refuses()], [Refuses()])[:2])


@pytest.mark.parametrize("place", [0, 5, 7, 8, 250, 999])
@pytest.mark.parametrize("by", [1e-14, 1e-9, 1e-4, 1.0, 1e12])
def test_wherever_two_tensors_part_the_lines_part(place, by):
    expected, got = torch.ones(1000, dtype=F64), torch.ones(1000, dtype=F64) + one_hot(1000, place, by)
    for e, g in ((expected, got), (expected.tolist(), got.tolist()), (expected.reshape(10, 100), got.reshape(10, 100))):
        pair = pair_of(e, g)
        assert pair.expected != pair.got
        assert max(len(pair.expected), len(pair.got)) <= 200
