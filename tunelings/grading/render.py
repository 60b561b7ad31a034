"""The words of a verdict: plain text that reads the same without colour.

A failure says what was checked, what came out, which mistake gives exactly that, and where to read.
"""

from __future__ import annotations

import ast
import string
import textwrap
import traceback
from collections.abc import Callable
from types import CodeType
from typing import Any

from torch import Tensor

from tunelings.course import Exercise, shown_path
from tunelings.grading.diagnose import Diagnosis
from tunelings.grading.run import Result
from tunelings.grading.text import WIDTH
from tunelings.grading.values import cut, value_text


def failure(
    exercise: Exercise,
    check: Callable[..., None],
    result: Result,
    diagnosis: Diagnosis | None,
    answer_path,
) -> str:
    """The whole text of one failing check; a line of prose is as long as it is (see `text.fitted`)."""
    lines = [headline(exercise, check.__name__)]
    lines += [f"    {line}" for line in _body(result, answer_path)]
    if diagnosis:
        lines += _named(diagnosis, result)
    lines.append(f"    {_places(exercise, check, result, answer_path)}")
    return "\n".join(lines)


def headline(exercise: Exercise, check_name: str, mark: str | None = None) -> str:
    sentence = check_name.removeprefix("test_").replace("_", " ")
    return f"{mark or symbol('failed')} {exercise.number} {exercise.title} · {sentence}"


def symbol(state: str) -> str:
    """A mark for a state; the words beside it say the same, so nothing rests on the mark."""
    return {"passed": "✓", "failed": "✗", "todo": "○", "started": "◐"}[state]


def _body(result: Result, answer_path) -> list[str]:
    error = result.error
    if result.status == "failed" and hasattr(error, "what"):
        got_line = f"  got       {value_text(error.actual, error.expected, quoted=True)}"
        lines = [error.what, f"  expected  {value_text(error.expected, error.actual)}"]
        remark = f"     {error.remark}" if error.remark else ""
        if len(got_line) + len(remark) <= WIDTH - 4:
            return [*lines, got_line + remark]
        return [*lines, got_line, f"            {error.remark}"] if remark else [*lines, got_line]
    if result.status == "crashed":
        return _crash(error, answer_path)
    if result.status == "timeout":
        return [str(error), *_stack(error, answer_path)]
    return str(error).splitlines()


def _crash(error: BaseException, answer_path) -> list[str]:
    """The learner's own frames, ending at their line; nothing of the grader or of a library."""
    message = " ".join(str(error).split())
    said = f"{type(error).__name__}: {message}" if message else type(error).__name__
    lines = textwrap.wrap(said, WIDTH - 4, max_lines=2, placeholder=" …")
    stack = _stack(error, answer_path)
    if not stack:
        return ["the check could not use what the answer gave it", *lines]
    return ["your code stops here", *stack, *lines]


def _stack(error: BaseException, answer_path) -> list[str]:
    at = [f"  line {f.lineno}, in {f.name}: {f.line}" for f in _own_frames(error, answer_path)]
    return [cut(line, WIDTH - 4) for line in list(dict.fromkeys(at))[-3:]]  # A recursion shows its line once.


def _own_frames(error: BaseException, answer_path) -> list[traceback.FrameSummary]:
    """The frames of an error, or of what caused it, that are in the answer's file."""
    frames = traceback.extract_tb(error.__traceback__)
    if error.__cause__ is not None:
        frames += traceback.extract_tb(error.__cause__.__traceback__)
    return [frame for frame in frames if frame.filename == str(answer_path)]


def _named(diagnosis: Diagnosis, result: Result) -> list[str]:
    one, *other = diagnosis.mistakes
    if other:
        said = ["This is what comes out in either of two cases:", f"- when {one.says}", f"- when {other[0].says}"]
    else:
        said = [shown(one.shows, result), f"This is what comes out when {one.says}"]
    if diagnosis.unexplained:
        n = diagnosis.unexplained
        said.append(f"{n} other check{'s fail' if n > 1 else ' fails'} for another reason.")
    return [f"    {line}" for line in said if line]


def shown(template: str, result: Result) -> str:
    """A mistake's `shows`, with the learner's own numbers in it.

    The template may use `actual`, `expected` and the notes of the check by name, with indices, such as
    "{actual[0]:.3g} is {expected[0]:.3g} + {stale[0]:.3g}". A template that does not fit says nothing.
    """
    if not template or not hasattr(result.error, "actual"):
        return ""
    values = {**result.notes, "actual": result.error.actual, "expected": result.error.expected}
    try:
        return string.Formatter().vformat(template, (), {k: _formattable(v) for k, v in values.items()})
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        return ""


def _formattable(value: Any) -> Any:
    return value.detach().flatten().tolist() if isinstance(value, Tensor) and value.dim() else value


def _places(exercise: Exercise, check: Callable[..., None], result: Result, answer_path) -> str:
    line = _line(check, result, answer_path)
    answer = shown_path(answer_path) + (f":{line}" if line else "")
    return f"{answer} · lesson {exercise.lesson_address} · tunelings hint {exercise.number}"


def _line(check: Callable[..., None], result: Result, answer_path) -> int | None:
    """The learner's line: where it crashed, else the function that this check is about."""
    if result.status == "broken":
        return getattr(result.error, "line", None)
    if result.status in {"crashed", "timeout", "escaped"} and (frames := _own_frames(result.error, answer_path)):
        return frames[-1].lineno
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


def not_started(exercise: Exercise, check_name: str, answer_path) -> str:
    """The text for an answer that is still the stub."""
    lines = [
        headline(exercise, check_name, symbol("todo")),
        "    not started: the TODO is as it came",
        f"    {shown_path(answer_path)} · lesson {exercise.lesson_address} · tunelings hint {exercise.number}",
    ]
    return "\n".join(lines)


def todo_left(exercise: Exercise, check_name: str, open_todos: list[str], answer_path) -> str:
    """The text for a check that met a TODO while others are done."""
    left = ", ".join(f"`{name}`" for name in open_todos)
    what = f"this TODO is left: {left}" if left else "a TODO is left: NotImplementedError is still raised"
    lines = [
        headline(exercise, check_name, symbol("started")),
        f"    in progress: {what}",
        f"    {shown_path(answer_path)} · lesson {exercise.lesson_address} · tunelings hint {exercise.number}",
    ]
    return "\n".join(lines)


def summary(runs: list) -> list[str]:
    """One line for each exercise that was checked, and what to do next."""
    lines = []
    marks = {"passed": "passed", "failed": "failed", "not started": "todo", "in progress": "started"}
    for run in runs:
        passed = sum(result.status == "passed" for result in run.results.values())
        counts = f"{passed} of {len(run.results)} checks pass" if run.results else "not started"
        lines.append(f"{symbol(marks[run.state])} {run.exercise.number} {run.exercise.title:<28} {counts}")
    unfinished = next((run for run in runs if run.state != "passed"), None)
    if unfinished is None:
        lines.append("All of these pass; `tunelings list` shows the whole course.")
    else:
        place, lesson = shown_path(unfinished.answer_path), unfinished.exercise.lesson_address
        lines.append(f"Next: {place} · `tunelings hint {unfinished.exercise.number}` · lesson {lesson}")
    return lines
