"""Each expectation holds for what is right, and says of what is wrong what was compared and what came out.

Long: 44 tests, by expectation and by the kind of value that is compared.
"""

from __future__ import annotations

import math
from collections import OrderedDict, UserDict, namedtuple
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tunelings import expect
from tunelings.expect import CheckFailed
from tunelings.grading import render
from tunelings.grading.parting import pair_of
from tunelings.grading.verdict import Difference

F32, F64, BF16 = torch.float32, torch.float64, torch.bfloat16
EPS32 = torch.finfo(F32).eps


def vector(*numbers, dtype=F64):
    return torch.tensor(numbers, dtype=dtype)


def repr_of_type(value) -> str:
    """The name of a case; what it holds need not have a repr."""
    return type(value).__name__


def failing(expectation, *args, **options) -> CheckFailed:
    with pytest.raises(CheckFailed) as caught:
        expectation(*args, **options)
    return caught.value


@pytest.mark.parametrize(
    "actual, expected",
    [
        (vector(1, 2), vector(1, 2)),
        (vector(1, 2, dtype=F32), vector(1, 2)),
        (vector(1, 2, dtype=BF16), vector(1.001, 2.002)),
        (torch.tensor([1, 2]), vector(1, 2)),
        (torch.tensor([True, False]), vector(1, 0)),
        (3, 3.0),
        (0.1 + 0.2, 0.3),
        ([1, 2.0], (1.0, 2)),
        ([[1.0, 2.0]], vector(1, 2).reshape(1, 2)),
        (np.array([1.0, 2.0]), vector(1, 2)),
        (np.float32(0.5), 0.5),
        (vector(math.inf, -math.inf), vector(math.inf, -math.inf)),
        (torch.empty(0, 3), torch.empty(0, 3)),
        ([], torch.empty(0)),
        (vector(2.0).requires_grad_(), vector(2.0)),
        (torch.tensor(2.0), 2.0),
    ],
)
def test_what_is_close_passes(actual, expected):
    assert expect.close(actual, expected, what="a value") is None


@pytest.mark.parametrize(
    "actual, expected, remark",
    [
        (vector(1, 2.5), vector(1, 2), "differs first at [1]; max |difference| 0.5"),
        (torch.tensor([[1, 2], [3, 8]]), torch.tensor([[1, 2], [4, 4]]), "differs first at [1, 0]; max |difference| 4"),
        (3.0, 3.1, "difference 0.1"),
        (vector(1, 2, 3), vector(1, 2), "shape [3], expected shape [2]"),
        (vector(1, 2).reshape(1, 2), vector(1, 2), "shape [1, 2], expected shape [2]"),
        (vector(2.0), 2.0, "shape [1], expected shape []"),
        ([1.0], [1.0, 2.0], "shape [1], expected shape [2]"),
        (torch.empty(0), vector(1), "shape [0], expected shape [1]"),
        (vector(1, math.nan), vector(1, math.nan), "differs first at [1]; max |difference| nan"),
        (math.nan, 1.0, "difference nan"),
        (vector(math.inf), vector(-math.inf), "differs first at [0]; max |difference| inf"),
        (vector(math.inf), vector(1), "differs first at [0]; max |difference| inf"),
        (None, 1.0, ""),
        (True, 1.0, "a bool"),
        ("1.0", 1.0, "a str"),
        ({"loss": 1.0}, 1.0, "a dict"),
        ([1.0, None], [1.0, 2.0], "a list"),
        ([[1.0], [1.0, 2.0]], vector(1, 2), "a list"),
    ],
)
def test_what_is_not_close_fails_and_says_how(actual, expected, remark):
    error = failing(expect.close, actual, expected, what="a value")
    parting = None if error.largest is None else render.difference_text(Difference(error.first, error.largest))
    assert (error.what, parting or error.remark) == ("a value", remark)
    assert repr((error.actual, error.expected)) == repr((actual, expected))


def test_the_tolerance_is_terms_times_eps_times_the_largest_number():
    expected = vector(1000.0, 1.0, dtype=F32)
    just_inside = expected.double() + 99 * EPS32 * 1000
    expect.close(just_inside, expected, what="x")
    failing(expect.close, expected.double() + 101 * EPS32 * 1000, expected, what="x")
    failing(expect.close, just_inside, expected, what="x", terms=98)


def test_the_scale_of_the_summands_can_be_given_where_they_cancel():
    failing(expect.close, vector(1e-13), vector(0.0), what="x")
    expect.close(vector(1e-13), vector(0.0), what="x", scale=1e3)
    failing(expect.close, vector(1e-9), vector(0.0), what="x", scale=1e3)


def test_the_coarser_dtype_of_the_two_counts():
    third = vector(1 / 3)
    expect.close(third.to(BF16), third, what="x", terms=1)
    expect.close(third, third.to(BF16), what="x", terms=1)
    failing(expect.close, third.to(BF16).double(), third, what="x", terms=1)


def test_a_dtype_can_be_given_where_the_value_does_not_show_it():
    rounded = float(torch.tensor(1 / 3, dtype=F32))
    failing(expect.close, rounded, 1 / 3, what="x")
    expect.close(rounded, 1 / 3, what="x", dtype=F32)


def test_integers_must_be_equal():
    expect.close(torch.tensor([1, 2]), torch.tensor([1, 2]), what="x")
    failing(expect.close, torch.tensor([10**9, 2]), torch.tensor([10**9 + 1, 2]), what="x")


def test_an_infinity_does_not_widen_the_tolerance():
    failing(expect.close, vector(math.inf, 1.1), vector(math.inf, 1.0), what="x")


@pytest.mark.parametrize(
    "actual, expected",
    [
        (3, 3.0),
        ("aé", "aé"),
        ([1, 2], [1, 2]),
        (None, None),
        ({"a": [1]}, {"a": [1]}),
        (torch.tensor([1, 2]), torch.tensor([1, 2])),
    ],
)
def test_what_is_equal_passes(actual, expected):
    assert expect.equal(actual, expected, what="a value") is None


@pytest.mark.parametrize(
    "actual, expected, remark",
    [
        (3, 4, ""),
        ([1, 2], (1, 2), ""),
        (None, "text", ""),
        (vector(1, 2), vector(1, 3), ""),
        (vector(1, 2), vector(1, 2).reshape(2, 1), "shape [2], expected shape [2, 1]"),
        ([1.0, 2.0], vector(1, 2), ""),
        (vector(1, 2), [1.0, 2.0], ""),
        (vector(1.0), 1.0, ""),
    ],
)
def test_what_is_not_equal_fails(actual, expected, remark):
    error = failing(expect.equal, actual, expected, what="a value")
    assert (error.what, error.remark) == ("a value", remark)


class Anything:
    """Equal to everything, also as a key."""

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __hash__(self):
        return hash("a")


class AnyInt(int):
    __eq__ = Anything.__eq__
    __hash__ = Anything.__hash__


class AnyText(str):
    __eq__ = Anything.__eq__
    __hash__ = Anything.__hash__


class AnyList(list):
    __eq__ = Anything.__eq__


@dataclass
class Window:
    start: object


@pytest.mark.parametrize(
    "actual, expected",
    [
        (Anything(), 3),
        (Anything(), "a"),
        (Anything(), None),
        (Anything(), vector(1)),
        (Anything(), Path("a")),
        (Anything(), Window(1)),
        (AnyInt(4), 3),
        (AnyText("b"), "a"),
        (AnyList([1]), [1, 2]),
        ([1, Anything()], [1, 2]),
        ((1, [Anything()]), (1, [2])),
        ({"a": Anything()}, {"a": 1}),
        ({Anything(): 1}, {"a": 1}),
        ({Anything()}, {"a"}),
        (SimpleNamespace(a=1), 1),
        (Window(Anything()), Window(1)),
        ([vector(1, 2)], [vector(1, 3)]),
        ([torch.tensor(1)], [1]),
        (np.array([1.0, 2.0]), np.array([1.0, 3.0])),
        (np.array([1.0]), np.array([1])),
        ("1", 1),
        (b"a", "a"),
        ({"a": 1, "b": 2}, {"a": 1}),
        ({"a": 1}, [("a", 1)]),
        (Path("a"), "a"),
    ],
    ids=repr_of_type,
)
def test_no_class_of_an_answer_decides_what_is_equal(actual, expected):
    assert failing(expect.equal, actual, expected, what="a value").what == "a value"


@pytest.mark.parametrize(
    "actual, expected",
    [
        (True, 1),
        ([0, 1.0], [False, True]),
        (np.int64(3), 3),
        ([np.float32(0.5)], [0.5]),
        (AnyInt(3), 3),
        (np.str_("a"), "a"),
        (namedtuple("Pair", "a b")(1, 2), (1, 2)),
        (OrderedDict(a=1), {"a": 1.0}),
        (UserDict(a=1), {"a": 1}),
        ({1.0: "x"}, {1: "x"}),
        ({"a", "b"}, frozenset("ab")),
        ({("a", 1): frozenset({2})}, {("a", 1): {2}}),
        (Window([1]), Window([1])),
        ([vector(1, 2)], [vector(1, 2)]),
        (np.array([1.0, 2.0]), np.array([1.0, 2.0])),
        (Path("a"), Path("a")),
        (range(3), range(3)),
        (torch.float32, torch.float32),
        (torch.Size([1, 2]), (1, 2)),
    ],
    ids=repr_of_type,
)
def test_numbers_and_containers_are_equal_by_what_they_hold(actual, expected):
    expect.equal(actual, expected, what="a value")


@pytest.mark.parametrize(
    "actual, expected",
    [
        (True, 1),
        (1, 1.0),
        (np.float64(1.0), 1.0),
        ([1, np.int64(2)], [1, 2]),
        ({"a": (1, True)}, {"a": (1, 1)}),
        (OrderedDict(a=1), {"a": 1}),
        (vector(1), vector(1, dtype=F32)),
    ],
)
def test_exact_types_asks_for_the_type_of_each_part(actual, expected):
    failing(expect.equal, actual, expected, what="a value", exact_types=True)
    expect.equal(actual, expected, what="a value")
    expect.equal(expected, expected, what="a value", exact_types=True)


def test_a_kind_is_a_type_and_no_subclass_of_it():
    assert expect.kind(0.5, float, what="the loss") == 0.5
    assert expect.kind([1, 2], list, of=int, what="the ids") == [1, 2]
    for actual, name in [(1, "int"), (True, "bool"), (np.float64(1), "numpy.float64"), (None, "NoneType")]:
        error = failing(expect.kind, actual, float, what="the loss")
        assert (error.what, error.expected, error.actual) == ("the type of the loss", "float", name)
    error = failing(expect.kind, [1, True], list, of=int, what="the ids")
    assert (error.what, error.expected, error.actual) == ("the type of number 1 of the ids", "int", "bool")


class Yes(torch.Tensor):
    """A tensor that answers for torch: nothing differs from it, and it has every dtype."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        if "dtype" in repr(function):
            return F64
        return torch.tensor(0.0) if function is not torch.equal else True


class YesBelow(torch.Tensor):
    """The same one level deeper, where torch runs what has been asked of it."""

    @staticmethod
    def __new__(cls, data):
        return torch.Tensor._make_subclass(cls, data)

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return torch.tensor(0.0)


def test_a_tensor_that_answers_for_torch_is_looked_at_as_it_is():
    data = vector(1, 2, dtype=F32)
    yes, other = data.as_subclass(Yes), vector(1, 3)
    for expectation in (expect.close, expect.equal):
        failing(expectation, yes, other, what="x")
    failing(expect.close, [vector(1.0)[0].as_subclass(Yes)], [2.0], what="x")
    failing(expect.equal, [yes], [other], what="x")
    assert failing(expect.tensor, yes, what="x", dtype=F64).actual == "torch.float32"
    assert type(expect.tensor(yes, what="x")) is torch.Tensor
    with pytest.raises(CheckFailed), expect.unchanged("x", yes):
        data.add_(1)


def test_a_class_that_runs_torchs_operations_itself_is_no_tensor():
    for expectation in (expect.close, expect.equal):
        failing(expectation, YesBelow(vector(1, 2)), vector(1, 3), what="x")
        failing(expectation, [YesBelow(vector(1.0)[0])], [2.0], what="x")
    assert failing(expect.tensor, YesBelow(vector(1)), what="x").remark == "a YesBelow"


def test_a_gradient_flows_through_a_tensor_that_is_given_back():
    start = vector(1.0, 2.0).requires_grad_()
    expect.tensor((start * 2).as_subclass(Yes), what="x").sum().backward()
    assert torch.equal(start.grad, vector(2.0, 2.0))


def test_what_a_failure_holds_is_what_was_compared():
    actual, expected = [vector(1.0)], {"a": [1]}
    error = failing(expect.equal, actual, expected, what="x")
    actual[0].zero_()
    expected["a"].append(2)
    assert torch.equal(error.actual[0], vector(1.0)) and error.expected == {"a": [1]}
    loop: list = []
    loop.append(loop)
    assert failing(expect.equal, loop, [1], what="x").actual is loop


def test_the_input_of_a_case_is_kept_with_the_failure():
    for expectation, args in [
        (expect.close, (1.0, 2.0)),
        (expect.close, (None, 2.0)),
        (expect.close, ([1.0], 2.0)),
        (expect.equal, (1, 2)),
        (expect.kind, (1, float)),
        (expect.number, ("1",)),
        (expect.tensor, (1,)),
        (expect.raises, (ValueError, int)),
    ]:
        assert failing(expectation, *args, what="x", given="the case").given == "the case"
    assert failing(expect.true, False, what="x", actual=1, expected=2, given="the case").given == "the case"
    assert failing(expect.equal, 1, 2, what="x").given is None


def test_a_case_is_kept_with_each_failure_after_it_that_has_no_input_of_its_own():
    x = torch.ones(2)
    try:
        expect.case(x=x, texts=["a"])
        x[0] = 7.0  # By the answer, say.
        given = failing(expect.equal, 1, 2, what="y").given
        assert (given["x"].tolist(), given["texts"]) == ([1.0, 1.0], ["a"])
        assert failing(expect.close, 1.0, 2.0, what="y", given="its own").given == "its own"
        expect.case(n=3)
        assert failing(expect.close, 1.0, 2.0, what="y").given == {"n": 3}
    finally:
        expect.case()
    assert failing(expect.equal, 1, 2, what="y").given is None


def test_where_equal_tensors_part_is_known():
    error = failing(expect.equal, vector(1, 5, 9), vector(1, 2, 3), what="x")
    assert (error.first, error.largest) == ((1,), 6.0)


def test_an_array_in_place_of_a_plain_value_fails_and_does_not_crash():
    assert failing(expect.equal, np.array([1, 2]), [1, 2], what="a value").what == "a value"


def test_a_condition_shows_the_number_behind_it():
    assert expect.true(0.9 > 0.8, what="the accuracy", actual=0.9, expected="above 0.8") is None
    error = failing(expect.true, 0.7 > 0.8, what="the accuracy", actual=0.7, expected="above 0.8")
    assert (error.what, error.actual, error.expected) == ("the accuracy", 0.7, "above 0.8")


def test_a_plain_number_is_given_back_as_a_float():
    assert expect.number(3, what="the loss") == 3.0 and isinstance(expect.number(3, what="the loss"), float)
    assert expect.number(np.float64(0.5), what="the loss") == 0.5


@pytest.mark.parametrize(
    "actual, remark",
    [
        (torch.tensor(1.0), "a Tensor"),
        (True, "a bool"),
        ("1", "a str"),
        (None, ""),
    ],
)
def test_what_is_no_plain_number_fails(actual, remark):
    error = failing(expect.number, actual, what="the loss")
    assert (error.what, error.expected, error.remark) == ("the loss", "a Python float", remark)


def test_a_tensor_of_the_right_kind_is_given_back():
    value = vector(1, 2, dtype=F32)
    assert expect.tensor(value, what="x", dtype=F32, shape=(2,)) is value
    assert expect.tensor(value, what="x") is value


def test_a_tensor_of_the_wrong_kind_fails():
    value = vector(1, 2, dtype=F32)
    shape = failing(expect.tensor, value, what="x", shape=(1, 2))
    assert (shape.what, shape.expected, shape.actual) == ("the shape of x", [1, 2], [2])
    dtype = failing(expect.tensor, value, what="x", dtype=F64)
    assert (dtype.what, dtype.expected, dtype.actual) == ("the dtype of x", "torch.float64", "torch.float32")
    assert failing(expect.tensor, [1, 2], what="x").remark == "a list"
    assert failing(expect.tensor, None, what="x").remark == ""


def raising(error: BaseException):
    def function():
        raise error

    return function


def test_an_error_that_is_raised_as_promised_passes():
    expect.raises(ValueError, raising(ValueError("rank 0 is below 1")), what="rank 0", mentions=["rank", 0])
    expect.raises(LookupError, raising(KeyError("name")), what="a subclass")


def test_a_message_without_what_was_promised_fails():
    error = failing(expect.raises, ValueError, raising(ValueError("no")), what="rank 0", mentions=["rank", 0, "n"])
    assert (error.what, error.expected, error.actual) == ("the message of rank 0", "a text with rank, 0", "no")


def test_an_error_of_another_kind_fails():
    error = failing(expect.raises, ValueError, raising(TypeError("bad type")), what="rank 0")
    assert (error.expected, error.actual) == ("ValueError", "TypeError: bad type")
    assert isinstance(error.__cause__, TypeError)


def test_no_error_at_all_fails_and_shows_what_came_back():
    error = failing(expect.raises, ValueError, lambda: 7, what="rank 0")
    assert (error.expected, error.actual, error.remark) == ("ValueError is raised", 7, "nothing was raised")


def test_of_an_object_that_came_back_the_class_is_shown():
    """Its own text may hold an address, which is another one in each run."""
    error = failing(expect.raises, ValueError, object, what="rank 0")
    assert error.actual == "a object"
    error = failing(expect.raises, ValueError, lambda: [torch.ones(2)], what="rank 0")
    assert torch.equal(error.actual[0], torch.ones(2))


def test_a_todo_is_not_taken_for_the_error():
    with pytest.raises(NotImplementedError, match="TODO"):
        expect.raises(ValueError, raising(NotImplementedError("TODO")), what="rank 0")
    with pytest.raises(NotImplementedError, match="TODO"):
        expect.raises(Exception, raising(NotImplementedError("TODO")), what="any error")


def test_an_expectation_inside_is_told_as_itself():
    with pytest.raises(CheckFailed, match="^inner"):
        expect.raises(Exception, raising(CheckFailed("inner", 1, 2)), what="any error")


def test_tensors_that_stay_pass_with_their_nans():
    x = vector(1, math.nan, math.inf)
    with expect.unchanged("x", x):
        x.add(1)
    with expect.unchanged("the pair", [x, torch.empty(0)]):
        pass


def test_a_tensor_that_is_changed_in_place_is_named():
    x, y = vector(1.0, 2.0), vector(3.0)
    for tensors, name in [(x, "inputs"), ([y, x], "inputs: number 1"), ({"y": y, "x": x}, "inputs: x")]:
        before = x.clone()
        with pytest.raises(CheckFailed) as caught, expect.unchanged("inputs", tensors):
            x.mul_(2)
        assert (caught.value.what, caught.value.remark) == (name, "changed, and must not be")
        assert torch.equal(caught.value.expected, before)


def test_a_nan_that_appears_or_goes_is_a_change():
    for before, after in [(1.0, math.nan), (math.nan, 1.0)]:
        x = vector(before, 2.0)
        with pytest.raises(CheckFailed), expect.unchanged("x", x):
            x[0] = after


def test_an_error_inside_is_not_hidden_by_a_change():
    x = vector(1.0)
    with pytest.raises(ZeroDivisionError), expect.unchanged("x", x):
        x.zero_()
        raise ZeroDivisionError


def test_a_note_is_a_copy_of_what_was_there():
    x = vector(1.0, 2.0).requires_grad_()
    expect.note("x", x)
    expect.note("passes", 3)
    with torch.no_grad():
        x.zero_()
    assert torch.equal(expect.notes["x"], vector(1.0, 2.0)) and not expect.notes["x"].requires_grad
    assert expect.notes["passes"] == 3


def test_a_note_of_a_container_is_a_copy_with_all_it_holds():
    x, items = vector(1.0), ["a"]
    expect.note("seen", {"x": [x, (items,)], "n": np.zeros(2)})
    x.zero_()
    items.append("b")
    assert torch.equal(expect.notes["seen"]["x"][0], vector(1.0)) and expect.notes["seen"]["x"][1] == (["a"],)


def test_the_error_reads_as_a_sentence_for_those_who_see_it_bare():
    assert str(CheckFailed("the loss", 1.0, 2.0)) == "the loss: expected 1.0, got 2.0"


def test_a_value_that_cannot_be_shown_is_a_failure_like_any_other():
    class Mute:
        def __repr__(self):
            raise SystemExit

    class Odd:
        def __repr__(self):
            return 7

    told = "the loss: expected 1.0, got <a {} whose repr raises {}>"
    assert str(failing(expect.equal, Mute(), 1.0, what="the loss")) == told.format("Mute", "SystemExit")
    assert str(failing(expect.equal, Odd(), 1.0, what="the loss")) == told.format("Odd", "TypeError")


UNREADABLE = {
    "a sparse tensor": lambda: torch.eye(3).to_sparse(),
    "a tensor on meta, which holds no numbers": lambda: torch.empty(3, 3, device="meta"),
    "a quantized tensor": lambda: torch.quantize_per_tensor(torch.eye(3), 0.1, 0, torch.qint8),
}


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
@pytest.mark.parametrize("says", UNREADABLE)
@pytest.mark.parametrize("expectation", [expect.close, expect.equal])
def test_a_tensor_that_cannot_be_read_is_named(expectation, says):
    error = failing(expectation, UNREADABLE[says](), torch.eye(3), what="x")
    assert error.remark == says
    pair = pair_of(error.expected, error.actual, error.first)
    assert pair.expected != pair.got and says.split(",")[0].split(" on ")[0] in pair.got
    assert pair_of([torch.eye(3)], [error.actual]).got.startswith("at [0] ")


def test_a_number_beyond_a_float_is_named():
    assert failing(expect.close, 10**5000, 1.0, what="x").remark == "too large for a float"
    assert failing(expect.number, 10**400, what="x").remark == "too large for a float"
    assert failing(expect.close, [10**5000], [1.0], what="x").remark == "a list"
