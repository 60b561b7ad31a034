"""The words of a verdict: plain text that reads the same without color.

A failure says what was checked, what came out, which mistake gives exactly that, and where to read. The words are
made here and last: what they say is data (`verdict.py`).
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path

from tunelings.course import shown_path
from tunelings.grading.states import CheckState, ExerciseState
from tunelings.grading.text import WIDTH, cut
from tunelings.grading.verdict import Difference, Failure, Verdict

INDENT = "    "


def failure_lines(verdict: Verdict, failure: Failure) -> list[str]:
    """A headline and what belongs under it; a line of prose is as long as it is (see `text.fitted`)."""
    body = [f"{INDENT}{line}" for line in (*_body(failure), *_named(failure), _places(verdict, failure))]
    trouble = [f"{INDENT}No mistake can be named: {failure.trouble}"] if failure.trouble else []
    return [headline(verdict, failure), *body, *trouble]


def headline(verdict: Verdict, failure: Failure) -> str:
    return f"{failure.state.mark} {verdict.number} {verdict.title} · {failure.sentence}"


def _body(failure: Failure) -> list[str]:
    match failure.state:
        case CheckState.NOT_STARTED:
            return ["not started: the file is still the stub"]
        case CheckState.TODO:
            return [f"in progress: {_todos(failure)}"]
        case CheckState.FAILED if failure.what:
            return _compared(failure)
        case CheckState.CRASHED:
            return _crash(failure)
        case CheckState.TIMEOUT:
            return [failure.message, *_stack(failure)]
    return failure.message.splitlines()


def _todos(failure: Failure) -> str:
    if not failure.todos:
        return "a TODO is left: NotImplementedError is still raised"
    return f"this TODO is left: {', '.join(f'`{name}`' for name in failure.todos)}"


def _compared(failure: Failure) -> list[str]:
    lines = [failure.what, *([f"  given     {failure.given}"] if failure.given else [])]
    lines.append(f"  expected  {failure.expected}")
    got = f"  got       {failure.got}"
    remark = difference_text(failure.difference) if failure.difference else failure.remark
    if not remark:
        return [*lines, got]
    if len(got) + len(INDENT) + 1 + len(remark) <= WIDTH - len(INDENT):
        return [*lines, f"{got}     {remark}"]
    return [*lines, got, f"            {remark}"]


def difference_text(difference: Difference) -> str:
    if difference.first is None:
        return f"difference {difference.largest:.4g}"
    return f"differs first at {list(difference.first)}; max |difference| {difference.largest:.4g}"


def _crash(failure: Failure) -> list[str]:
    """The learner's own frames, ending at their line; nothing of the grader or of a library."""
    said = textwrap.wrap(failure.message, WIDTH - len(INDENT), max_lines=2, placeholder=" …")
    if not failure.frames:
        cannot = textwrap.wrap(
            f"the check can't use what your code gave it: {failure.message}",
            WIDTH - len(INDENT),
            max_lines=3,
            placeholder=" …",
        )
        used = [cut(f"  in the check: {failure.used}", WIDTH - len(INDENT))] if failure.used else []
        return [*cannot, *used]
    return ["your code stops here", *_stack(failure), *said]


def _stack(failure: Failure) -> list[str]:
    at = [f"  line {frame.line}, in {frame.function}: {frame.code}" for frame in failure.frames[-3:]]
    return [cut(line, WIDTH - len(INDENT)) for line in at]


def _named(failure: Failure) -> list[str]:
    if not failure.mistakes:
        return []
    one, *other = failure.mistakes
    if other:
        said = ["This is what comes out in either of two cases:", f"- when {one.says}", f"- when {other[0].says}"]
    else:
        said = [*([one.shows] if one.shows else []), f"This is what comes out when {one.says}"]
    if n := failure.unexplained:
        said.append(f"{n} other check{'s fail' if n > 1 else ' fails'} too, which this doesn't explain.")
    return said


def _places(verdict: Verdict, failure: Failure) -> str:
    place = shown_path(Path(verdict.answer)) + (f":{failure.line}" if failure.line else "")
    return f"{place} · lesson {verdict.lesson} · tunelings hint {verdict.number}"


def problem_line(verdict: Verdict) -> str:
    """`path:line: error: text`, the form in which compilers and linters tell editors where to look; "" for no problem.

    A TODO that is left is a warning. The text is all that `failure_lines` says of the failure, in one line.
    """
    failure = verdict.failure
    if failure is None or failure.state in {CheckState.NOT_STARTED, CheckState.PASSED, CheckState.SKIPPED}:
        return ""
    kind = "warning" if failure.state == CheckState.TODO else "error"
    said = [" ".join(line.split()) for line in (*_body(failure), *_named(failure))]
    text = f"{verdict.number} {verdict.title} · {failure.sentence}: {'; '.join(said)}"
    return f"{shown_path(Path(verdict.answer))}:{failure.line or 1}: {kind}: {text}"


def summary(verdicts: Iterable[Verdict]) -> list[str]:
    """One line for each exercise that was checked, and what to do next."""
    verdicts = list(verdicts)
    lines = []
    for one in verdicts:
        passed = sum(state == CheckState.PASSED for state in one.checks.values())
        counts = f"{passed} of {len(one.checks)} checks pass" if one.checks else "not started"
        lines.append(f"{one.state.mark} {one.number} {one.title:<28} {counts}")
    unfinished = next((one for one in verdicts if one.state != ExerciseState.PASSED), None)
    if unfinished is None:
        return [*lines, "All of these pass; `tunelings list` shows the whole course."]
    place = shown_path(Path(unfinished.answer))
    return [*lines, f"Next: {place} · `tunelings hint {unfinished.number}` · lesson {unfinished.lesson}"]
