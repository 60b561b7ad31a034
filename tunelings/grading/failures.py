"""A check's error becomes a `Failure`: what was compared, what came out, which mistake gives that, and where.

Every text in it that an answer could have made is cut, and written out where it would move on a screen.
"""

from __future__ import annotations

import ast
import operator
import string
import traceback
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

from tunelings.cards import Mistake
from tunelings.expect import CHANGED, CheckFailed
from tunelings.grading.alike import BOTH_NAN
from tunelings.grading.answers import AnswerError, read
from tunelings.grading.diagnose import Diagnosis
from tunelings.grading.parting import pair_of
from tunelings.grading.run import Result
from tunelings.grading.states import CheckState
from tunelings.grading.text import cut, visible
from tunelings.grading.values import given_text, without_module
from tunelings.grading.verdict import Difference, Failure, Frame, NamedMistake
from tunelings.plain import is_tensor, plain_tensor, safe_str

_LINE = 200  # characters of a line of code, a remark or what was compared
_MESSAGE = 500  # characters of an error's text
_LINES = 3  # lines of an error's text, where it has several


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
    tree = _tree(answer_path)
    fields: dict[str, Any] = {"line": _line(check, result, frames, tree), "trouble": trouble}
    if diagnosis:
        fields["mistakes"] = _named(diagnosis.mistakes, result)
        fields["unexplained"] = diagnosis.unexplained
    if isinstance(error, CheckFailed):
        fields |= _compared(error)
        if error.actual is None and (name := _without_return(check, tree)):
            fields["remark"] = f"`{name}` returns nothing: is a return missing?"
    else:
        fields["message"] = _message(result)
    if result.state in {CheckState.CRASHED, CheckState.TIMEOUT}:
        fields["frames"] = frames
    if result.state == CheckState.CRASHED and not frames:
        fields["used"] = _checks_line(check, error)
    return Failure(check.__name__, result.state, **fields)


def _compared(error: CheckFailed) -> dict[str, Any]:
    pair = pair_of(error.expected, error.actual, error.first)
    parting = None
    if error.largest is not None and pair.remark != BOTH_NAN:
        # An answer may raise a CheckFailed of its own: what is no number is its error, and not the grader's.
        first = None if error.first is None else tuple(map(operator.index, error.first))
        parting = Difference(first, float(error.largest))
    return {
        "what": cut(visible(error.what), _LINE),
        "expected": without_module(pair.expected),
        "got": without_module(pair.got),
        "difference": parting,
        "remark": cut(visible(_remark(error, "" if parting else pair.remark)), _LINE),
        "given": given_text(error.given),
    }


def _remark(error: CheckFailed, where: str) -> str:
    """What the check says of the two values, or where they part; of what was changed both."""
    if error.remark == CHANGED and where:
        return f"{where}; {CHANGED}"
    return error.remark or where


def _message(result: Result) -> str:
    """The text of an error; a crash with its type, on one line."""
    text = safe_str(result.error)
    if result.state != CheckState.CRASHED:
        return "\n".join(cut(visible(line.rstrip("\r")), _MESSAGE) for line in text.split("\n")[:_LINES])
    text = visible(without_module(" ".join(text[: 2 * _MESSAGE].split())))
    kind = visible(type(result.error).__name__)
    return cut(f"{kind}: {text}" if text else kind, _MESSAGE)


def _checks_line(check: Callable[..., None], error: BaseException | None) -> str:
    """The line of the check at which what an answer gave could not be used."""
    summaries = traceback.extract_tb(error.__traceback__ if error else None)
    own = [s.line for s in summaries if s.filename == check.__code__.co_filename and s.line]
    return cut(visible(own[-1]), _LINE) if own else ""


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
        text = string.Formatter().vformat(template, (), {k: _formattable(v) for k, v in values.items()})
    except KeyboardInterrupt:
        raise
    except BaseException:  # A place that is not there, or what a class of the answer's own does when it is shown.
        return ""
    return visible(text) if len(text) <= _MESSAGE else ""


def _formattable(value: Any) -> Any:
    return plain_tensor(value).detach().flatten().tolist() if is_tensor(value) and value.dim() else value


def own_frames(error: BaseException | None, answer_path: Path) -> tuple[Frame, ...]:
    """The lines of the answer's file that an error, or what caused it, passed through; a recursion shows its once."""
    if error is None:
        return ()
    summaries = list(traceback.extract_tb(error.__traceback__))
    if error.__cause__ is not None:
        summaries += traceback.extract_tb(error.__cause__.__traceback__)
    own = [s for s in summaries if s.filename == str(answer_path)]
    return tuple(dict.fromkeys(Frame(s.lineno or 0, visible(s.name), cut(visible(s.line or ""), _LINE)) for s in own))


def _tree(answer_path: Path) -> ast.Module:
    """The answer as it stands on disk; an empty one where it cannot be read or parsed."""
    try:
        return ast.parse(read(answer_path).text)
    except (AnswerError, OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def _line(check: Callable[..., None], result: Result, frames: tuple[Frame, ...], tree: ast.Module) -> int | None:
    """The learner's line: where it crashed, else the function that this check is about."""
    if result.state == CheckState.BROKEN:
        return getattr(result.error, "line", None)
    if result.state in {CheckState.CRASHED, CheckState.TIMEOUT, CheckState.ESCAPED} and frames:
        return frames[-1].line
    lines = {getattr(node, "name", None): getattr(node, "lineno", None) for node in tree.body}
    return next((lines[name] for name in _names(check.__code__, check.__globals__) if name in lines), None)


def _without_return(check: Callable[..., None], tree: ast.Module) -> str:
    """A function or method that this check uses, that promises a value and has no `return` with one; "" for none."""
    used = set(_names(check.__code__, check.__globals__))
    nodes = [node for node in tree.body if getattr(node, "name", None) in used]
    nodes += [part for node in nodes if isinstance(node, ast.ClassDef) for part in node.body]
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return next((node.name for node in functions if _promises(node) and not _gives_a_value(node.body)), "")


def _promises(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """The signature says that something comes back."""
    return function.returns is not None and not (
        isinstance(function.returns, ast.Constant) and function.returns.value is None
    )


def _gives_a_value(nodes: list[ast.stmt] | list[ast.AST]) -> bool:
    """A `return` with a value or a `yield` stands here, not counting functions inside."""
    for node in nodes:
        if isinstance(node, ast.Return) and node.value is not None or isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        inner = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef)
        if not inner and _gives_a_value(list(ast.iter_child_nodes(node))):
            return True
    return False


def _names(code: CodeType, scope: dict[str, Any], seen: tuple[CodeType, ...] = ()) -> list[str]:
    """The names that a function uses, and those that its lambdas and the helpers of its file use."""
    names = list(code.co_names)
    helpers = [getattr(scope.get(name), "__code__", None) for name in names]
    for part in (*code.co_consts, *helpers):
        same_file = isinstance(part, CodeType) and part.co_filename == code.co_filename
        if same_file and part not in seen:
            names += _names(part, scope, (*seen, code))
    return names
