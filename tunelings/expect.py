"""The vocabulary in which a check says what must come out.

    expect.close(model.weight, by_hand, what="the weight after two steps", given=batch)

Each function returns nothing or what it looked at, or raises CheckFailed with what was compared, what should have
come out and what did. The actual value is what a known mistake is recognized by, so give numbers and tensors that
tell mistakes apart, never a bare bool. `given` is the input of the case, which is shown beside a failure; where one
helper calls the answer, `case` says it once for all that is compared after the call. `note` records evidence that is
not asserted.

Long: all that a check may say stands in one module, so that a check file imports one name.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from tunelings.course import SENTINEL
from tunelings.plain import copied, is_tensor, plain_tensor, safe_repr, safe_str, same_bits, same_value, unreadable
from tunelings.snapshot import Same, first_change, snapshot

notes: dict[str, Any] = {}  # What the check that is running has recorded; cleared before each check.
_case: dict[str, Any] = {}  # What `case` was told last; likewise.


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
        given: Any = None,
        evidence: Any = None,
    ):
        """`first` is the index of the first number that differs, `largest` the largest |difference|, where known.

        `given` is the input that `actual` came out of: a text, a value, or a dict of values by the argument's name.
        `evidence` is what a diagnosis compares in place of `actual`, where that holds words of the answer's own.
        """
        super().__init__(what, expected, actual)
        self.what = what
        self.expected = copied(expected)  # What is shown later is what was compared, also where it goes on changing.
        self.actual = copied(actual)
        self.remark = remark
        self.first = first
        self.largest = largest
        self.given = given if given is not None else _case or None
        self.evidence = self.actual if evidence is None else evidence

    def __str__(self) -> str:
        return f"{self.what}: expected {safe_repr(self.expected)}, got {safe_repr(self.actual)}"


class Described(str):
    """What must come out in words, which are no text to compare with another letter by letter."""


def note(name: str, value: Any) -> None:
    """Record evidence for the diagnosis, such as what `.grad` held at `step()`; asserts nothing.

    Tensors, arrays, lists, tuples, sets and dicts are copied, with what they hold.
    """
    notes[name] = copied(value)


def case(**given: Any) -> None:
    """The input of what is compared from now on, by the argument's name, until the next case or the end of the check.

    It is shown beside a failure that has no `given` of its own; copied like a note, since an answer may change it.

        expect.case(logits=logits, targets=targets)
        loss = answer.cross_entropy(logits, targets)
    """
    global _case
    _case = copied(given)


def close(
    actual: Any,
    expected: Any,
    what: str,
    *,
    terms: int = 100,
    scale: float | None = None,
    dtype: torch.dtype | None = None,
    given: Any = None,
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
        raise CheckFailed(what, expected, actual, _wrong_kind(actual), given=given)
    if actual_tensor.is_complex() and not expected_tensor.is_complex():
        raise CheckFailed(what, expected, actual, "complex numbers, where real ones are expected", given=given)
    if actual_tensor.shape != expected_tensor.shape:
        raise CheckFailed(what, expected, actual, _remark(actual_tensor, expected_tensor), given=given)
    allowed = _tolerance(actual_tensor, expected_tensor, terms, scale, dtype)
    exact = torch.complex128 if expected_tensor.is_complex() else torch.float64
    a, e = actual_tensor.detach().to("cpu", exact), expected_tensor.detach().to("cpu", exact)
    wrong = ~((a - e).abs() <= allowed) & (a != e)  # `a != e` lets equal infinities pass.
    if wrong.any():
        raise CheckFailed(what, expected, actual, **_parting(a, e, wrong), given=given)


def _parting(a: Tensor, e: Tensor, wrong: Tensor) -> dict[str, Any]:
    """Where two tensors of one shape part, in the words of CheckFailed."""
    first = tuple(int(i) for i in wrong.nonzero()[0]) if wrong.dim() else None
    return {"first": first, "largest": float((a - e).abs()[wrong].max())}


def equal(actual: Any, expected: Any, what: str, *, exact_types: bool = False, given: Any = None) -> None:
    """Two plain values, or two tensors, are the same.

    Lists, tuples, dicts, sets and dataclasses are compared part by part, and the type comes before the value: no ==
    of a class that the answer defines is asked. A list is no tuple, and a tensor is no number; of numbers (bool, int,
    float and NumPy's scalars) only the value counts: True is 1 is 1.0. With `exact_types` each part must have the
    very type of the expected one, a tensor the dtype, so that `type(x) is int` holds of every member.
    """
    if same_value(actual, expected, exact_types=exact_types):
        return
    if not is_tensor(actual) or not is_tensor(expected):
        raise CheckFailed(what, expected, actual, given=given)
    actual = plain_tensor(actual)
    parting = _parting_of(actual, plain_tensor(expected))
    raise CheckFailed(what, expected, actual, _remark(actual, expected), **parting, given=given)


def _parting_of(actual: Tensor, expected: Tensor) -> dict[str, Any]:
    """Where two tensors part, if they have one shape and real numbers."""
    if actual.shape != expected.shape or any(unreadable(one) or one.is_complex() for one in (actual, expected)):
        return {}
    a, e = (tensor.detach().to("cpu") for tensor in (actual, expected))
    wrong = a != e
    return _parting(a.double(), e.double(), wrong) if wrong.any() else {}


def _remark(actual: Tensor, expected: Tensor) -> str:
    if (kind := unreadable(actual)) or actual.shape == expected.shape:
        return kind
    return f"shape {list(actual.shape)}, expected shape {list(expected.shape)}"


def true(condition: Any, what: str, *, actual: Any, expected: Any, given: Any = None) -> None:
    """A condition holds; `actual` is the number or tensor that shows by how much it does not."""
    if not condition:
        raise CheckFailed(what, expected, actual, given=given)


def kind(actual: Any, kind: type, what: str, *, of: type | None = None, given: Any = None) -> Any:
    """`type(actual) is kind`, and that of each member is `of` where given; returns `actual`.

    No subclass will do: np.float64 is no float, True no int, and an OrderedDict no dict.

        expect.kind(loss, float, what="the returned loss")
        expect.kind(indices, list, of=int, what="the chosen indices")
    """
    if type(actual) is not kind:
        raise CheckFailed(f"the type of {what}", _type_name(kind), _type_name(type(actual)), given=given)
    members: Any = () if of is None else actual
    for index, member in enumerate(members):
        if type(member) is not of:
            named = f"the type of number {index} of {what}"
            raise CheckFailed(named, _type_name(of or object), _type_name(type(member)), given=given)
    return actual


def number(actual: Any, what: str, *, given: Any = None) -> float:
    """`actual` is a Python number (int, float, or a subclass such as np.float64), not a tensor; returns it as a float.

    Where the answer's text promises a float and nothing else, ask `kind(actual, float, …)` first.
    """
    base = next((base for base in (int, float) if issubclass(type(actual), base)), None)
    if base is None or type(actual) is bool:
        raise CheckFailed(what, "a Python float", actual, _wrong_kind(actual), given=given)
    try:
        return base.__float__(actual)  # The number itself, also where a subclass says otherwise.
    except OverflowError:
        raise CheckFailed(what, "a Python float", actual, _wrong_kind(actual), given=given) from None


def tensor(
    actual: Any,
    what: str,
    *,
    dtype: torch.dtype | None = None,
    shape: Sequence[int] | None = None,
    given: Any = None,
) -> Tensor:
    """`actual` is a tensor, of this dtype and shape where given; returns it, as torch's own class."""
    if not is_tensor(actual):
        raise CheckFailed(what, "a tensor", actual, _wrong_kind(actual), given=given)
    actual = plain_tensor(actual)
    if shape is not None and tuple(actual.shape) != tuple(shape):
        raise CheckFailed(f"the shape of {what}", list(shape), list(actual.shape), given=given)
    if dtype is not None and actual.dtype != dtype:
        raise CheckFailed(f"the dtype of {what}", str(dtype), str(actual.dtype), given=given)
    return actual


def raises(
    kind: type[Exception],
    function: Callable[[], Any],
    what: str,
    *,
    mentions: Sequence[Any] = (),
    given: Any = None,
) -> None:
    """Calling `function` raises `kind`, and the message holds each of `mentions`."""
    try:
        result = function()
    except kind as error:
        if isinstance(error, CheckFailed) or isinstance(error, NotImplementedError) and SENTINEL in safe_str(error):
            raise  # Where any Exception will do, a TODO that is left will not.
        said = safe_str(error)
        missing = [str(word) for word in mentions if str(word) not in said]
        if missing:
            wanted = Described(f"a text with {', '.join(missing)}")
            raise CheckFailed(f"the message of {what}", wanted, said, given=given, evidence=missing) from None
        return
    except NotImplementedError:
        raise
    except Exception as error:
        came = f"{type(error).__name__}: {safe_str(error)}"
        name = type(error).__name__
        raise CheckFailed(what, Described(kind.__name__), came, given=given, evidence=name) from error
    raise CheckFailed(what, f"{kind.__name__} is raised", _returned(result), "nothing was raised", given=given)


def _returned(value: Any) -> Any:
    """`value`, or in words its class, where that is all that can be said of it: another run makes another object."""
    plain = value is None or is_tensor(value) or isinstance(value, (int, float, str, bytes, list, tuple, dict, set))
    return value if plain else f"a {type(value).__name__}"


@contextlib.contextmanager
def unchanged(
    what: str, tensors: Mapping[str, Tensor] | Sequence[Tensor] | Tensor, *, given: Any = None
) -> Iterator[None]:
    """The tensors hold the same bits after the block as before it; the first that changed is named."""
    named = {name: plain_tensor(value) for name, value in _by_name(what, tensors).items()}
    before = {name: value.detach().clone() for name, value in named.items()}
    yield
    for name, value in named.items():
        if not same_bits(value, before[name]):
            raise _changed(name, before[name], value.detach(), given)


class untouched:  # noqa: N801  (read as `with expect.untouched(…)`)
    """What is given is the same in everything after the block as at the start of it.

        with expect.untouched("what was given", {"model": model, "batch": batch, "tokenizer": tokenizer}):
            answer.evaluate(model, batch, tokenizer)

    The copies are made when this is called. Of a model the values, dtype, requires_grad and .grad of each parameter
    and buffer, the mode and the hooks of each submodule, all names, the very objects and its config are compared; of
    an optimizer its groups and state; of a tokenizer its settings and tokens; of lists and dicts all parts (see
    `tunelings.snapshot`). The first difference is named: "what was given: model: fc.weight: requires_grad".

    At the end of the block the comparison comes first: also where an expectation in the block has failed, or one of
    `errors` was raised (which then goes on its way). Another error is the answer's crash, and goes on at once.
    `compare()` does the same at any time.
    """

    def __init__(self, what: str, given: Any, *, errors: type[Exception] | tuple[type[Exception], ...] = ()):
        self.what = what
        self.given = given
        self.errors = errors if isinstance(errors, tuple) else (errors,)
        self.before = snapshot(given)

    def compare(self) -> None:
        """Raise CheckFailed for the first place that is no longer as it was."""
        if change := first_change(self.before, self.given):
            place = f"{self.what}: {change.place}" if change.place else self.what
            raise _changed(place, change.before, change.after)

    def __enter__(self) -> untouched:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if error is None or isinstance(error, (CheckFailed, *self.errors)):
            self.compare()


CHANGED = "changed, and must not be"


def _changed(place: str, before: Any, after: Any, given: Any = None) -> CheckFailed:
    if isinstance(before, Same) or isinstance(after, Same):
        before, after = "the same object", "another object"
    return CheckFailed(place, before, after, CHANGED, given=given)


def _by_name(what: str, tensors: Mapping[str, Tensor] | Sequence[Tensor] | Tensor) -> dict[str, Tensor]:
    if isinstance(tensors, Tensor):
        return {what: tensors}
    if isinstance(tensors, Mapping):
        return {f"{what}: {name}": value for name, value in tensors.items()}
    return {f"{what}: number {index}": value for index, value in enumerate(tensors)}


def _as_tensor(value: Any) -> Tensor | None:
    """`value` as a plain tensor, or None where it is not made of numbers that can be read."""
    if is_tensor(value):
        tensor = plain_tensor(value)
        return None if unreadable(tensor) else tensor
    if isinstance(value, bool) or value is None:
        return None
    try:
        return torch.as_tensor(_without_subclasses(value), dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return None


def _without_subclasses(value: Any) -> Any:
    if is_tensor(value):
        return plain_tensor(value).detach()
    if isinstance(value, Tensor):
        raise TypeError("a class of its own that answers for torch")
    return [_without_subclasses(part) for part in value] if isinstance(value, list | tuple) else value


def _tolerance(actual: Tensor, expected: Tensor, terms: int, scale: float | None, dtype: torch.dtype | None) -> float:
    dtypes = [d for d in (actual.dtype, expected.dtype, dtype) if d is not None and d.is_floating_point]
    if scale is None:
        finite = expected.detach().to(torch.float64)
        finite = finite[finite.isfinite()].abs()
        scale = float(finite.max()) if finite.numel() else 0.0
    return terms * max((torch.finfo(d).eps for d in dtypes), default=0.0) * scale


def _wrong_kind(actual: Any) -> str:
    if is_tensor(actual) and (kind := unreadable(plain_tensor(actual))):
        return kind
    if issubclass(type(actual), int) and int.bit_length(actual) > 1024:
        return "too large for a float"
    return "" if actual is None else f"a {type(actual).__name__}"


def _type_name(kind: type) -> str:
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
