"""What the plugin knows of a pytest item: its exercise, its limits, and the task that a child process makes of it."""

from __future__ import annotations

import builtins
import contextlib
import gc
import linecache
import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tunelings.course import Exercise
from tunelings.grading import answers, imports
from tunelings.grading.runs import Run
from tunelings.grading.text import visible
from tunelings.writing import read_regular

if TYPE_CHECKING:  # torch is imported when a check runs.
    from tunelings.grading.judge import Task


def exercise_of(path: Path) -> Exercise | None:
    """The exercise that a check file belongs to, by its place: ROOT/checks/moduleNN/test_exNN_name.py."""
    module, checks = path.parent, path.parent.parent
    in_place = checks.name == "checks" and re.fullmatch(r"module\d\d", module.name)
    if not in_place or not re.fullmatch(r"test_ex\d\d_\w+\.py", path.name):
        return None
    return Exercise(checks.parent, module.name, path.stem.removeprefix("test_"))


def task_of(item: pytest.Function, run: Run, seed: int) -> Task:
    from tunelings.grading.judge import Task

    assert run.source is not None
    names = item._fixtureinfo.argnames
    return Task(
        run.exercise,
        item.obj,
        run.source,
        seed,
        limit_for(item),
        open_todos=tuple(run.open_todos or ()),
        diagnosed=not (run.explained or is_full_run(item) or is_debugged(item.config)),
        fixtures={name: item.funcargs[name] for name in names if name != "answer"},
    )


def tasks_of(first: pytest.Function, run: Run, seed: int) -> Callable[[dict[str, Any]], Task]:
    """How a child that was forked during the check `first` finds the task that a request means."""
    of_the_file = [one for one in first.session.items if one.path == first.path]
    items = {one.name: one for one in of_the_file if isinstance(one, pytest.Function)}

    def find(request: dict[str, Any]) -> Task:
        item = items[request["check"]]
        if item is not first:
            item.funcargs = {"answer": None}
        if request["tmp_path"] is not None:
            item.funcargs["tmp_path"] = Path(request["tmp_path"])
        run.explained = not request["diagnosed"]
        return task_of(item, run, seed)

    return find


# What torch imports by itself where seeds are set, tensors are compared and a gradient is computed.
_ON_FIRST_USE = ("numpy.random", "torch.utils._device", "torch.nested._internal.nested_tensor")


def warm_up(item: pytest.Item, run: Run) -> None:
    """Import what the exercise imports and make what its checks share, so that a child has it from the start.

    Torch's compiler is imported for all exercises of the run together: what one child imports, the next lacks.
    """
    from tunelings.grading import functions
    from tunelings.grading.run import import_compiler

    needed = [name for name in imports.needed_imports([run.exercise]) if name != imports.COMPILER]
    imports.import_all([*needed, *_ON_FIRST_USE])
    for path in {str(one.path) for one in item.session.items if exercise_of(one.path)}:
        import_compiler(path)
    functions.prepare()
    gc.freeze()  # What the child inherits need not be looked through for garbage again.


def warn_again(text: str, kind: str, file: str, line: int) -> None:
    """Warn as an answer did, without harm: it wrote all of this, and a verdict does not hang on it."""
    found = getattr(builtins, kind, None)
    category = found if isinstance(found, type) and issubclass(found, Warning) else UserWarning
    name, source = visible(file), ""
    if name not in linecache.cache:  # pytest shows the line, and would read a pipe or a device for it.
        with contextlib.suppress(OSError, ValueError):
            source = read_regular(Path(name))
        answers.keep_lines(name, source)
    with contextlib.suppress(Exception):
        warnings.warn_explicit(visible(text), category, name, line)


def limit_for(item: pytest.Item) -> float:
    from tunelings.grading.run import limit_of

    return limit_of(getattr(item, "obj", None))


def is_full_run(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(mark) for mark in ("gpu", "real"))


def is_debugged(config: pytest.Config) -> bool:
    """A debugger looks at the answer; running it again for its mistake's name would stop at each breakpoint again."""
    return any(config.getoption(name, False) for name in ("usepdb", "trace"))


def uses_gpu_already(item: pytest.Item) -> bool:
    """CUDA was started in this process; a fork of it cannot use it."""
    torch = sys.modules.get("torch")
    return item.get_closest_marker("gpu") is not None and torch is not None and torch.cuda.is_initialized()


def has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()
