"""Run a Python file by its path as a module of its own name: a check, a reference solution, an answer."""

from __future__ import annotations

import functools
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from tunelings.course import Course, carried


def load_module(path: Path, name: str) -> ModuleType:
    """The module that running the file at `path` makes, registered as `name`.

    Raises:
        FileNotFoundError: there is no such file.
        Exception: whatever the file's top level raises.
    """
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"{path} isn't a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # Dataclasses and pickle look the module up while it runs.
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


@functools.cache
def reference(number: str) -> ModuleType:
    """The reference solution of an exercise such as "5.08", loaded once."""
    exercise = Course(carried()).find(number)
    return load_module(exercise.solution_path, f"tunelings_reference_{exercise.module}_{exercise.name}")
