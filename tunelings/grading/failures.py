"""A check's error becomes a `Failure`: what was compared, what came out, which mistake gives that, and where."""

from __future__ import annotations

import ast
import string
import traceback
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

from torch import Tensor

from tunelings.cards import Mistake
from tunelings.expect import CheckFailed
from tunelings.grading.diagnose import Diagnosis
from tunelings.grading.run import Result
from tunelings.grading.states import CheckState
from tunelings.grading.values import value_text
from tunelings.grading.verdict import Difference, Failure, Frame, NamedMistake


def failure_of(
    check: Callable[..., None],
    result: Result,
    answer_path: Path,
    *,
    diagnosis: Diagnosis | None = None,
    trouble: str = "",
) -> Failure:
    """The failure of a check that ran and did not pass, or whose answer does not load."""
    error = result.error
    frames = own_frames(error, answer_path)
    fields: dict[str, Any] = {"line": _line(check, result, frames, answer_path), "trouble": trouble}
    if diagnosis:
        fields["mistakes"] = _named(diagnosis.mistakes, result)
        fields["unexplained"] = diagnosis.unexplained
    if isinstance(error, CheckFailed):
        fields |= _compared(error)
    else:
        fields["message"] = _message(result)
    if result.state in {CheckState.CRASHED, CheckState.TIMEOUT}:
        fields["frames"] = frames
    return Failure(check.__name__, result.state, **fields)


def _compared(error: CheckFailed) -> dict[str, Any]:
    parting = None if error.largest is None else Difference(error.first, error.largest)
    return {
        "what": error.what,
        "expected": value_text(error.expected, error.actual),
        "got": value_text(error.actual, error.expected, quoted=True),
        "difference": parting,
        "remark": error.remark,
    }


def _message(result: Result) -> str:
    """The text of an error; a crash with its type, on one line."""
    if result.state != CheckState.CRASHED:
        return str(result.error)
    text = " ".join(str(result.error).split())
    kind = type(result.error).__name__
    return f"{kind}: {text}" if text else kind


def _named(mistakes: tuple[Mistake, ...], result: Result) -> tuple[NamedMistake, ...]:
    """Of two mistakes neither shows its numbers: they would be true of one of them only."""
    if len(mistakes) > 1:
        return tuple(NamedMistake(one.id, one.says) for one in mistakes)
    return tuple(NamedMistake(one.id, one.says, shown(one.shows, result)) for one in mistakes)


def shown(template: str, result: Result) -> str:
    """A mistake's `shows`, with the learner's own numbers in it.

    The template may use `actual`, `expected` and the notes of the check by name, with indices, such as
    "{actual[0]:.3g} is {expected[0]:.3g} + {stale[0]:.3g}". A template that does not fit says nothing.
    """
    if not template or not isinstance(result.error, CheckFailed):
        return ""
    values = {**result.notes, "actual": result.error.actual, "expected": result.error.expected}
    try:
        return string.Formatter().vformat(template, (), {k: _formattable(v) for k, v in values.items()})
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        return ""


def _formattable(value: Any) -> Any:
    return value.detach().flatten().tolist() if isinstance(value, Tensor) and value.dim() else value


def own_frames(error: BaseException | None, answer_path: Path) -> tuple[Frame, ...]:
    """The lines of the answer's file that an error, or what caused it, passed through; a recursion shows its once."""
    if error is None:
        return ()
    summaries = list(traceback.extract_tb(error.__traceback__))
    if error.__cause__ is not None:
        summaries += traceback.extract_tb(error.__cause__.__traceback__)
    own = [s for s in summaries if s.filename == str(answer_path)]
    return tuple(dict.fromkeys(Frame(s.lineno or 0, s.name, s.line or "") for s in own))


def _line(check: Callable[..., None], result: Result, frames: tuple[Frame, ...], answer_path: Path) -> int | None:
    """The learner's line: where it crashed, else the function that this check is about."""
    if result.state == CheckState.BROKEN:
        return getattr(result.error, "line", None)
    if result.state in {CheckState.CRASHED, CheckState.TIMEOUT, CheckState.ESCAPED} and frames:
        return frames[-1].line
    try:
        tree = ast.parse(answer_path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return None
    lines = {getattr(node, "name", None): node.lineno for node in tree.body}
    return next((lines[name] for name in _names(check.__code__, check.__globals__) if name in lines), None)


def _names(code: CodeType, scope: dict[str, Any], seen: tuple[CodeType, ...] = ()) -> list[str]:
    """The names that a function uses, and those that its lambdas and the helpers of its file use."""
    names = list(code.co_names)
    helpers = [getattr(scope.get(name), "__code__", None) for name in names]
    for part in (*code.co_consts, *helpers):
        same_file = isinstance(part, CodeType) and part.co_filename == code.co_filename
        if same_file and part not in seen:
            names += _names(part, scope, (*seen, code))
    return names
