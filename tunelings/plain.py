"""What an answer gives, as plain values: no method of a class of its own is called to compare or to copy them.

An object may say that it is equal to everything, and a subclass of Tensor may answer for torch. So a value is looked
at by its type first, and then by the methods of Python's and torch's own classes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Set
from typing import Any

import numpy as np
import torch
from torch import Tensor


def is_tensor(value: Any) -> bool:
    """A tensor whose numbers torch reads by itself; a class that answers for torch's own operations is none."""
    return issubclass(type(value), Tensor) and type(value).__torch_dispatch__ is Tensor.__torch_dispatch__


def plain_tensor(value: Tensor) -> Tensor:
    """The same tensor, differentiable, as torch's own class; a Tensor and a Parameter stay the objects they are."""
    if type(value) in (Tensor, torch.nn.Parameter):
        return value
    with torch._C.DisableTorchFunctionSubclass():
        return Tensor.as_subclass(value, Tensor)


def unreadable(value: Tensor) -> str:
    """Why the numbers of a plain tensor can't be read one by one, as the kind of tensor that it is; else ""."""
    if value.device.type == "meta":
        return "a tensor on meta, which holds no numbers"
    if value.is_nested:
        return "a nested tensor"
    if value.is_quantized:
        return "a quantized tensor"
    if value.layout == torch.strided:
        return ""
    layout = str(value.layout).removeprefix("torch.")
    return "a sparse tensor" if layout.startswith("sparse") else f"a tensor of layout {layout}"


def same_bits(a: Tensor, b: Tensor) -> bool:
    """Two plain tensors have the same dtype, shape and numbers; nan is the same as nan."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.device.type == "meta" or b.device.type == "meta":
        return a.device == b.device
    a, b = a.detach().to("cpu"), b.detach().to("cpu")
    return bool(((a == b) | ((a != a) & (b != b))).all())


def same_value(actual: Any, expected: Any, *, exact_types: bool = False) -> bool:
    """Whether `actual` is what `expected` is, part by part.

    Of bool, int, float and NumPy's scalars only the number counts (True is 1 is 1.0), in a list too; a list is no
    tuple, and a tensor is no number. With `exact_types` each part has the very type (a tensor the dtype) of the
    expected one. What is not made of plain values is compared by its own ==, if its type is that of `expected`.
    """
    if exact_types and type(actual) is not type(expected):
        return False
    kind = type(actual)
    if is_tensor(expected):
        return is_tensor(actual) and _same_tensor(plain_tensor(actual), plain_tensor(expected), exact_types)
    if (number := _number(expected)) is not None:
        found = _number(actual)
        return found is not None and bool(found == number)
    for text in (str, bytes, bytearray):
        if issubclass(type(expected), text):
            return issubclass(kind, text) and bool(text.__eq__(actual, expected))
    for base in (list, tuple):
        if issubclass(type(expected), base):
            return issubclass(kind, base) and _same_parts(base, actual, expected, exact_types)
    if isinstance(expected, Mapping):
        return isinstance(actual, Mapping) and _same_mapping(actual, expected, exact_types)
    if isinstance(expected, Set):
        return isinstance(actual, Set) and _as_set(actual) == _as_set(expected)
    if kind is not type(expected):
        return False
    if isinstance(expected, np.ndarray):
        return actual.dtype == expected.dtype and bool(np.array_equal(actual, expected))
    if dataclasses.is_dataclass(expected) and not isinstance(expected, type):
        names = [field.name for field in dataclasses.fields(expected)]
        return all(same_value(getattr(actual, n), getattr(expected, n), exact_types=exact_types) for n in names)
    try:
        return actual is expected or bool(actual == expected)
    except (ValueError, RuntimeError):
        return False


def _same_tensor(actual: Tensor, expected: Tensor, exact_types: bool) -> bool:
    if unreadable(actual) or unreadable(expected):
        return False
    if actual.shape != expected.shape or exact_types and actual.dtype != expected.dtype:
        return False
    return torch.equal(actual.detach().to("cpu"), expected.detach().to("cpu"))


def _number(value: Any) -> bool | int | float | complex | None:
    """A number as Python's own, or None; of a subclass the number that it holds, whatever its methods say."""
    kind = type(value)
    if kind is bool:
        return value
    if issubclass(kind, np.generic) and kind.__module__ == "numpy":
        value = value.item()
        return value if isinstance(value, bool | int | float | complex) else None
    if issubclass(kind, int):
        return int.__int__(value)
    if issubclass(kind, float):
        return float.__float__(value)
    return value if kind is complex else None


def _same_parts(base: type[list] | type[tuple], actual: Any, expected: Any, exact_types: bool) -> bool:
    a, e = list(base.__iter__(actual)), list(base.__iter__(expected))
    return len(a) == len(e) and all(same_value(x, y, exact_types=exact_types) for x, y in zip(a, e, strict=True))


def _same_mapping(actual: Mapping, expected: Mapping, exact_types: bool) -> bool:
    a = {_key(key): part for key, part in actual.items()}
    e = {_key(key): part for key, part in expected.items()}
    return a.keys() == e.keys() and all(same_value(a[key], e[key], exact_types=exact_types) for key in e)


def _as_set(value: Set) -> set:
    return {_key(member) for member in value}


def _key(value: Any) -> tuple[Any, Any]:
    """A key or a member with what its == hangs on, so that no == of a class of an answer's own is asked."""
    if (number := _number(value)) is not None:
        return "number", number
    if issubclass(type(value), str):
        return "text", str.__str__(value)
    if issubclass(type(value), tuple):
        return "tuple", tuple(_key(part) for part in tuple.__iter__(value))
    return id(type(value)), frozenset(_as_set(value)) if isinstance(value, frozenset) else value


def safe_repr(value: Any) -> str:
    """repr(value), whatever a class of the answer's own makes of it: an error in it, or no text, is said instead."""
    return _safely(repr, value)


def safe_str(value: Any) -> str:
    """str(value) likewise, as of an error that an answer raises."""
    return _safely(str, value)


def _safely(function: Callable[[Any], str], value: Any) -> str:
    try:
        return str.__str__(function(value))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: to be shown is no reason to end.
        return f"<a {type(value).__name__} whose {function.__name__} raises {type(error).__name__}>"


def copied(value: Any) -> Any:
    """A copy that no later change reaches: of tensors, arrays and, part by part, lists, tuples, sets and dicts.

    A list that holds itself, and objects of other classes, are given back as they are.
    """
    try:
        return _copied(value)
    except RecursionError:
        return value


def _copied(value: Any) -> Any:
    kind = type(value)
    if is_tensor(value):
        return plain_tensor(value).detach().clone()
    if kind is np.ndarray:
        return value.copy()
    if kind in (list, tuple, set, frozenset):
        return kind(_copied(part) for part in value)
    if kind is dict:
        return {key: _copied(part) for key, part in value.items()}
    return value
