"""Values become JSON that can be compared up to rounding."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tunelings.grading.fingerprint import RANDOM, agree, fingerprint


@dataclass
class Loss:
    name: str


F32, F64, BF16, F16 = torch.float32, torch.float64, torch.bfloat16, torch.float16


def vector(*numbers, dtype=F64):
    return torch.tensor(numbers, dtype=dtype)


def alike(a, b) -> bool:
    """The two agree, in both directions, and also after a stay on disk."""
    prints = fingerprint(a), fingerprint(b)
    stored = json.loads(json.dumps(prints))
    answers = {agree(*prints), agree(*reversed(prints)), agree(stored[0], prints[1]), agree(*stored)}
    assert len(answers) == 1
    return answers.pop()


@pytest.mark.parametrize(
    "value, printed",
    [
        (vector(1, 2.5), {"dtype": "float64", "shape": [2], "data": [1.0, 2.5]}),
        (torch.tensor([[1], [0]]), {"dtype": "int64", "shape": [2, 1], "data": [1.0, 0.0]}),
        (torch.tensor(True), {"dtype": "bool", "shape": [], "data": [1.0]}),
        (torch.empty(0, 3), {"dtype": "float32", "shape": [0, 3], "data": []}),
        (torch.empty(2, device="meta"), {"dtype": "float32", "shape": [2], "data": []}),
        (3, {"dtype": "float64", "shape": [], "data": [3.0]}),
        (math.inf, {"dtype": "float64", "shape": [], "data": ["inf"]}),
        (vector(math.nan, -math.inf), {"dtype": "float64", "shape": [2], "data": ["nan", "-inf"]}),
        (True, True),
        (None, None),
        ("text", "text"),
        ({"a": None, 1: "b"}, {"keys": {"'a'": None, "1": "b"}}),
        (("a", ["b"]), ["a", ["b"]]),
        ({"b", "a"}, ["a", "b"]),
        (SimpleNamespace(loss=None), {"keys": {"'loss'": None}}),
        (Loss("text"), {"keys": {"'name'": "text"}}),
        (np.array([[1, 2]]), {"dtype": "int64", "shape": [1, 2], "data": [1.0, 2.0]}),
        (np.float32(0.5), {"dtype": "float32", "shape": [], "data": [0.5]}),
        (np.array(["a", "b"]), {"shape": [2], "parts": ["a", "b"]}),
        (np.str_("text"), "text"),
        (range(2), fingerprint([0, 1])),
        (10**400, {"dtype": "float64", "shape": [], "data": ["inf"]}),
        (torch.tensor([1 + 2j]), {"dtype": "complex64", "shape": [1], "data": [1.0, 2.0]}),
        (torch.float32, "<torch.float32>"),
        (int, "<<class 'int'>>"),
        (object(), {"unknown": "object"}),
    ],
)
def test_a_value_is_printed_by_its_content(value, printed):
    assert fingerprint(value) == printed
    assert json.loads(json.dumps(printed)) == printed


def test_a_gradient_is_not_needed_to_print_a_tensor():
    assert fingerprint(vector(1.0).requires_grad_()) == fingerprint(vector(1.0))


@pytest.mark.parametrize(
    "dtype, rtol", [(F64, 1e-6), (F32, 1e-4), (BF16, 3e-2), (F16, 3e-3)], ids=["float64", "float32", "bf16", "fp16"]
)
def test_rounding_of_the_dtype_is_no_difference(dtype, rtol):
    def printed(value):
        return {"dtype": str(dtype).removeprefix("torch."), "shape": [2], "data": [100.0, value]}

    assert agree(printed(1.0), printed(1.0 + 99 * rtol))
    assert not agree(printed(1.0), printed(1.0 + 101 * rtol))


def test_the_coarser_dtype_decides():
    assert alike(vector(1 / 3, dtype=BF16), vector(1 / 3))
    assert not alike(vector(1 / 3, dtype=BF16).double(), vector(1 / 3))


def test_a_plain_number_agrees_with_a_tensor_of_it():
    assert alike(2.0, vector(2.0)[0])
    assert alike(2, 2.0)


@pytest.mark.parametrize(
    "a, b",
    [
        (vector(1, 2), vector(1, 2.001)),
        (vector(1, 2), vector(1, 2, 3)),
        (vector(1, 2), vector(1, 2).reshape(2, 1)),
        (vector(2.0), 2.0),
        (vector(1, math.nan), vector(1, math.inf)),
        (math.inf, -math.inf),
        (math.nan, 0.0),
        (1, True),
        (0.0, None),
        ("1", 1),
        (["a", "b"], ["a"]),
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, [1]),
        ({"1": None}, {1: None}),
        (range(300), range(400)),
        (range(300), [*range(299), 7]),
        (["x"] * 300, ["x"] * 299 + ["y"]),
        (["x"] * 300, ["x"] * 301),
        (np.array([1.0, 2.0]), np.array([1.0, 2.1])),
        (np.array([1.0, 2.0]), np.array([[1.0, 2.0]])),
        (np.float64(1.0), np.float64(2.0)),
        (np.array(["a"]), np.array(["b"])),
        (np.int64(1), np.bool_(True).item()),
        (b"ab", b"ac"),
        (Loss("a"), Loss("b")),
        (torch.float32, torch.float64),
    ],
)
def test_what_differs_does_not_agree(a, b):
    assert alike(a, a) and alike(b, b)
    assert not alike(a, b)


def test_random_agrees_with_random_only():
    assert agree(RANDOM, dict(RANDOM))
    for value in (vector(1.0), 1.0, "random", None, {"random": True}):
        assert not agree(RANDOM, fingerprint(value))


def test_an_array_agrees_with_a_tensor_or_a_number_of_the_same_content():
    assert alike(np.array([1.0, 2.0]), vector(1, 2))
    assert alike(np.float64(2.0), 2.0) and alike(np.int32(2), 2)
    assert alike(np.array([1.0, 2.0], dtype=np.float32), vector(1, 2 + 1e-5))


def test_rounding_of_a_long_list_is_no_difference():
    numbers = [n / 7 for n in range(1000)]
    assert alike(numbers, [x * (1 + 1e-12) for x in numbers])
    assert not alike(numbers, [*numbers[:-1], 0.0])


def test_what_has_no_fingerprint_agrees_with_nothing():
    loop: list = []
    loop.append(loop)
    for value in (object(), lambda: 1, iter([1]), {"deep": object()}, [object()], loop):
        assert not agree(fingerprint(value), fingerprint(value))
        assert not agree(fingerprint(value), fingerprint(1.0)) and not agree(None, fingerprint(value))


class Yes(torch.Tensor):
    """A tensor that answers for torch."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return torch.tensor(0.0)


class Ending(dict):
    def items(self):
        raise SystemExit


def test_a_class_of_an_answer_does_not_say_what_its_fingerprint_is():
    assert fingerprint(vector(1, 2).as_subclass(Yes)) == fingerprint(vector(1, 2))
    assert fingerprint([Ending(a=1)]) == {"unknown": "list"}


def test_of_a_large_tensor_a_sample_is_kept_with_sums_or_a_hash():
    large = torch.arange(1000, dtype=F64)
    whole, halves = fingerprint(large), fingerprint(large / 2)
    assert whole["data"][:3] == [0.0, 4.0, 8.0] and len(whole["data"]) == 250 and len(whole["hash"]) == 64
    assert halves["sums"][0] == pytest.approx(249750.0) and halves["sums"][2] == pytest.approx(float(large.norm()) / 2)
    assert alike(large, large.long()) and alike(large / 3, large / 3 * (1 + 1e-12))


def swapped(values, i: int, j: int):
    values = values.clone() if isinstance(values, torch.Tensor) else list(values)
    values[i], values[j] = values[j], values[i]
    return values


def changed(values, i: int, by: float):
    values = values.clone() if isinstance(values, torch.Tensor) else list(values)
    values[i] = values[i] + by
    return values


IDS = [(7 * n * n + 3) % 50_000 for n in range(2048)]
FLOATS = torch.linspace(0.1, 0.9, 3000, dtype=F64)


@pytest.mark.parametrize(
    "a, b",
    [
        (range(300), swapped(range(300), 271, 273)),
        (range(3000), changed(range(3000), 2999, 1)),
        (IDS, changed(IDS, 1001, 40)),
        (torch.tensor(IDS), changed(torch.tensor(IDS), 1001, 1)),
        (np.arange(3000), np.array([*range(2999), 0])),
        (FLOATS, changed(FLOATS, 1, 0.01)),
        (FLOATS, swapped(FLOATS, 1, 2001)),
        (FLOATS.tolist(), changed(FLOATS.tolist(), 1501, 0.01)),
        (torch.tensor([True, False] * 300), torch.tensor([True, False] * 299 + [True, True])),
    ],
)
def test_one_place_of_a_long_value_makes_a_difference(a, b):
    assert alike(a, a) and alike(b, b)
    assert not alike(a, b)


def test_an_unknown_part_anywhere_makes_a_long_list_unknown():
    value = ["x"] * 299 + [[object()]]
    assert not agree(fingerprint(value), fingerprint(value))


def test_of_a_long_list_the_first_parts_are_kept_with_its_length_and_a_hash():
    printed = fingerprint(["x"] * 1000)
    assert (len(printed["first"]), printed["length"]) == (256, 1000) and len(printed["hash"]) == 64
