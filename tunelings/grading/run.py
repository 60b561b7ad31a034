"""Run one check on one answer, in a state that nothing else has touched.

pytest, the diagnosis and the watch loop all go through `run_check`, so they cannot disagree.
"""

from __future__ import annotations

import dis
import functools
import importlib
import linecache
import os
import traceback
import unittest
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest
import torch

from tunelings import expect, inputs
from tunelings.course import FULL_RUN_MARKS, SENTINEL
from tunelings.expect import CheckFailed
from tunelings.grading import answers
from tunelings.grading.answers import AnswerError, NameMissing, Source
from tunelings.grading.contain import Exited, LeftBehind, contained
from tunelings.grading.imports import COMPILER, import_libraries
from tunelings.grading.limits import (
    MEMORY,
    TEXT,
    OutOfMemory,
    OutOfTime,
    is_out_of_memory,
    memory_is_limited,
    time_limit,
)
from tunelings.grading.states import CheckState
from tunelings.loading import load_module

# A check on tiny models takes milliseconds; a thousand times that is an endless loop.
DEFAULT_LIMIT = 10.0


@dataclass(frozen=True)
class Result:
    """What one check said of one answer.

    `error` is what it raised; `notes` is the evidence that it recorded.
    """

    check: str
    state: CheckState
    error: BaseException | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)


_STATE_OF = {
    CheckFailed: CheckState.FAILED,
    NameMissing: CheckState.FAILED,
    AnswerError: CheckState.BROKEN,
    OutOfTime: CheckState.TIMEOUT,
    Exited: CheckState.ESCAPED,
    LeftBehind: CheckState.ESCAPED,
}


def run_check(
    check: Callable[..., None],
    source: Source,
    *,
    seed: int = 0,
    global_seed: int = 0,
    limit: float = DEFAULT_LIMIT,
    fixtures: Mapping[str, Any] | None = None,
) -> Result:
    """Load the answer afresh and run `check(answer, **fixtures)` on it; never raises for what the answer does.

    A full run's own skip and a real Ctrl-C pass through.
    """
    expect.notes.clear()
    expect.case()
    inputs.set_seed(seed)
    _pin_threads(check)
    prepare(check, source)
    error: BaseException | None = None
    try:
        with contained(global_seed, check.__globals__), time_limit(limit):
            answer = answers.load(source)
            try:
                check(answer, **(fixtures or {}))
            finally:
                answers.unload(answer)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as caught:
        if _is_checks_own_skip(check, source, caught):
            raise
        error = _told(caught)
    return Result(check.__name__, _state_of(error), error, dict(expect.notes))


def prepare(check: Callable[..., None], source: Source) -> None:
    """Import what takes seconds to import, once: it is not on a check's clock."""
    import_compiler(check.__code__.co_filename)
    import_libraries(source.text)


def _is_outcome(error: BaseException) -> bool:
    """A word to pytest (skip, exit, fail, xfail) or to unittest."""
    return isinstance(error, pytest.skip.Exception | pytest.fail.Exception | pytest.exit.Exception | unittest.SkipTest)


def _is_checks_own_skip(check: Callable[..., None], source: Source, error: BaseException) -> bool:
    """A full run's `pytest.skip(…)`, for want of data or a model; what an answer raises or returns brings none."""
    if type(error) is not pytest.skip.Exception or not is_full_run(check):
        return False
    raised = [list(traceback.walk_tb(one.__traceback__)) for one in _with_contexts(error)]
    if any(frame.f_code.co_filename == str(source.path) for frames in raised for frame, _ in frames):
        return False
    spoke, line = [one for one in raised[0] if Path(one[0].f_code.co_filename).parent.name != "_pytest"][-1]
    own = [one.__code__ for one in check.__globals__.values() if isinstance(one, FunctionType)]
    called = {step.argval for step in dis.get_instructions(spoke.f_code) if _line_of(step) == line}
    return any(code is spoke.f_code for code in own) and {"pytest", "skip"} <= called


def _with_contexts(error: BaseException) -> list[BaseException]:
    """The error, and those that were being handled when it was raised."""
    chain: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and not any(at is one for one in chain):
        chain.append(at)
        at = at.__context__
    return chain


def _line_of(step: dis.Instruction) -> int | None:
    return step.positions.lineno if step.positions else None


def _told(error: BaseException) -> BaseException:
    """The error, or one in its place: for a word to pytest, what a limit stopped, and one whose own text raises."""
    told: BaseException | None = None
    if _is_outcome(error):
        told = Exited(f"the answer ends the check: {type(error).__name__}")
    elif type(error) is not CheckFailed:  # Of that one the text is made when it is shown.
        try:
            with time_limit(TEXT):
                text = str(error)
        except BaseException:
            told = Exited(f"the text of a {type(error).__name__} that the answer raises cannot be made")
        else:
            if is_out_of_memory(error, text) and memory_is_limited():
                told = OutOfMemory(MEMORY)
    if told is None:
        return error
    told.__cause__ = error
    return told


@functools.cache
def import_compiler(check_file: str) -> None:
    """The first optimizer imports torch's compiler, which takes seconds: where a check has one, it is there before."""
    if "torch.optim" in "".join(linecache.getlines(check_file)):
        importlib.import_module(COMPILER)


def _pin_threads(check: Callable[..., None]) -> None:
    """One thread, so that sums are added up in one order everywhere; all of them for a full run."""
    threads = os.cpu_count() or 1 if is_full_run(check) else 1
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


def _state_of(error: BaseException | None) -> CheckState:
    if error is None:
        return CheckState.PASSED
    if isinstance(error, NotImplementedError) and SENTINEL in str(error):
        return CheckState.TODO
    return next((state for kind, state in _STATE_OF.items() if isinstance(error, kind)), CheckState.CRASHED)


@functools.lru_cache(maxsize=64)
def _load_check_module(path: Path, modified: float) -> ModuleType:
    return load_module(path, f"tunelings_checks_{path.parent.name}_{path.stem}")


def checks_of(path: Path, names: list[str]) -> list[Callable[..., None]]:
    """The check functions of a check file, in the order of `names`."""
    module = _load_check_module(path, path.stat().st_mtime)
    return [getattr(module, name) for name in names]


def limit_of(check: object) -> float:
    """The limit in seconds that `@pytest.mark.timeout(N)` gives a check, or the default."""
    marks = [mark for mark in getattr(check, "pytestmark", []) if mark.name == "timeout"]
    return float(marks[0].args[0]) if marks else DEFAULT_LIMIT


def is_full_run(check: Callable[..., None]) -> bool:
    return any(has_mark(check, mark) for mark in FULL_RUN_MARKS)


def has_mark(check: Callable[..., None], name: str) -> bool:
    return any(mark.name == name for mark in getattr(check, "pytestmark", []))
