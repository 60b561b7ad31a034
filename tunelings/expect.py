"""The vocabulary in which a check says what must come out.

    expect.close(model.weight, by_hand, what="the weight after two steps")

Each function returns nothing, or raises CheckFailed with what was compared, what should have come out
and what did. The actual value is what a known mistake is recognised by, so give numbers and tensors that
tell mistakes apart, never a bare bool. `note` records evidence that is not asserted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from tunelings.course import SENTINEL

notes: dict[str, Any] = {}  # What the check that is running has recorded; cleared before each check.


class CheckFailed(AssertionError):
    """An expectation that does not hold: `what` was compared, what was `expected`, what is `actual`."""

    def __init__(
        self,
        what: str,
        expected: Any,
        actual: Any,
        remark: str = "",
        *,
        first: tuple[int, ...] | None = None,
        largest: float | None = None,
    ):
        """`first` is the index of the first number that differs, `largest` the largest |difference|, where known."""
        super().__init__(f"{what}: expected {expected!r}, got {actual!r}")
        self.what = what
        self.expected = expected
        self.actual = actual
        self.remark = remark
        self.first = first
        self.largest = largest


def note(name: str, value: Any) -> None:
    """Record evidence for the diagnosis, such as what `.grad` held at `step()`; asserts nothing."""
    notes[name] = value.detach().clone() if isinstance(value, Tensor) else value


def close(
    actual: Any,
    expected: Any,
    what: str,
    *,
    terms: int = 100,
    scale: float | None = None,
    dtype: torch.dtype | None = None,
) -> None:
    """Two tensors (or numbers, or equal-length lists of them) agree up to rounding.

    The tolerance is `terms * eps * scale`: each of about `terms` rounded operations in the longest chain
    errs by at most eps/2 of what it handles, which is at most `scale` (default: the largest |expected|, give
    the size of the summands where they cancel). eps is that of the coarser dtype of the two; give `dtype`
    where the value no longer shows in what it was computed (a Python float out of float32 tensors).
    The shape must be equal; the dtype is not compared. nan agrees with nothing.
    """
    actual_tensor = _as_tensor(actual)
    expected_tensor = _as_tensor(expected)
    if expected_tensor is None:
        raise TypeError(f"{what}: expect.close compares numbers, and {expected!r} is none")
    if actual_tensor is None:
        raise CheckFailed(what, expected, actual, _wrong_kind(actual))
    if actual_tensor.shape != expected_tensor.shape:
        raise CheckFailed(what, expected, actual, _remark(actual_tensor, expected_tensor))
    allowed = _tolerance(actual_tensor, expected_tensor, terms, scale, dtype)
    a, e = actual_tensor.detach().to("cpu", torch.float64), expected_tensor.detach().to("cpu", torch.float64)
    wrong = ~((a - e).abs() <= allowed) & (a != e)  # `a != e` lets equal infinities pass.
    if wrong.any():
        first = tuple(int(i) for i in wrong.nonzero()[0]) if wrong.dim() else None
        raise CheckFailed(what, expected, actual, first=first, largest=float((a - e).abs()[wrong].max()))


def equal(actual: Any, expected: Any, what: str) -> None:
    """Two plain values, or two tensors, are the same: type-insensitive for numbers, exact for content."""
    if isinstance(expected, Tensor):
        ok = isinstance(actual, Tensor) and actual.shape == expected.shape and torch.equal(actual, expected)
    else:
        ok = not isinstance(actual, Tensor) and _same_value(actual, expected)
    if not ok:
        raise CheckFailed(what, expected, actual, _remark(actual, expected))


def _remark(actual: Any, expected: Any) -> str:
    if isinstance(actual, Tensor) and isinstance(expected, Tensor) and actual.shape != expected.shape:
        return f"shape {_shape(actual)}, expected shape {_shape(expected)}"
    return _wrong_kind(actual) if actual is None else ""


def _same_value(actual: Any, expected: Any) -> bool:
    try:
        return bool(actual == expected)
    except (ValueError, RuntimeError):
        return False  # An array or tensor, alone or in a list, in place of plain values.


def true(condition: Any, what: str, *, actual: Any, expected: Any) -> None:
    """A condition holds; `actual` is the number or tensor that shows by how much it does not."""
    if not condition:
        raise CheckFailed(what, expected, actual)


def number(actual: Any, what: str) -> float:
    """`actual` is a plain Python number, not a tensor; returns it as a float."""
    if isinstance(actual, bool) or not isinstance(actual, int | float):
        raise CheckFailed(what, "a Python float", actual, _wrong_kind(actual))
    return float(actual)


def tensor(actual: Any, what: str, *, dtype: torch.dtype | None = None, shape: Sequence[int] | None = None) -> Tensor:
    """`actual` is a tensor, of this dtype and shape where given; returns it."""
    if not isinstance(actual, Tensor):
        raise CheckFailed(what, "a tensor", actual, _wrong_kind(actual))
    if shape is not None and tuple(actual.shape) != tuple(shape):
        raise CheckFailed(f"the shape of {what}", list(shape), list(actual.shape))
    if dtype is not None and actual.dtype != dtype:
        raise CheckFailed(f"the dtype of {what}", str(dtype), str(actual.dtype))
    return actual


def raises(kind: type[Exception], function: Callable[[], Any], what: str, *, mentions: Sequence[Any] = ()) -> None:
    """Calling `function` raises `kind`, and the message holds each of `mentions`."""
    try:
        result = function()
    except kind as error:
        if isinstance(error, CheckFailed) or isinstance(error, NotImplementedError) and SENTINEL in str(error):
            raise  # Where any Exception will do, a TODO that is left will not.
        missing = [str(word) for word in mentions if str(word) not in str(error)]
        if missing:
            raise CheckFailed(f"the message of {what}", f"a text with {', '.join(missing)}", str(error)) from None
        return
    except NotImplementedError:
        raise
    except Exception as error:
        raise CheckFailed(what, kind.__name__, f"{type(error).__name__}: {error}") from error
    raise CheckFailed(what, f"{kind.__name__} is raised", result, "nothing was raised")


@contextlib.contextmanager
def unchanged(what: str, tensors: Mapping[str, Tensor] | Sequence[Tensor] | Tensor) -> Iterator[None]:
    """The tensors hold the same bits after the block as before it; the first that changed is named."""
    named = _by_name(what, tensors)
    before = {name: value.detach().clone() for name, value in named.items()}
    yield
    for name, value in named.items():
        if not _same_bits(value.detach(), before[name]):
            raise CheckFailed(name, before[name], value.detach(), "changed, and must not be")


def _by_name(what: str, tensors: Mapping[str, Tensor] | Sequence[Tensor] | Tensor) -> dict[str, Tensor]:
    if isinstance(tensors, Tensor):
        return {what: tensors}
    if isinstance(tensors, Mapping):
        return {f"{what}: {name}": value for name, value in tensors.items()}
    return {f"{what}: number {index}": value for index, value in enumerate(tensors)}


def _same_bits(a: Tensor, b: Tensor) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and bool(((a == b) | ((a != a) & (b != b))).all())


def _as_tensor(value: Any) -> Tensor | None:
    """`value` as a tensor, or None where it is not made of numbers."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, list | tuple):
        value = [part.detach() if isinstance(part, Tensor) else part for part in value]
    try:
        return torch.as_tensor(value, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        return None


def _tolerance(actual: Tensor, expected: Tensor, terms: int, scale: float | None, dtype: torch.dtype | None) -> float:
    dtypes = [d for d in (actual.dtype, expected.dtype, dtype) if d is not None and d.is_floating_point]
    if scale is None:
        finite = expected.detach().to(torch.float64)
        finite = finite[finite.isfinite()].abs()
        scale = float(finite.max()) if finite.numel() else 0.0
    return terms * max((torch.finfo(d).eps for d in dtypes), default=0.0) * scale


def _wrong_kind(actual: Any) -> str:
    if actual is None:
        return "nothing was returned: is a return missing?"
    return f"a {type(actual).__name__}"


def _shape(value: Tensor) -> str:
    return str(list(value.shape))
