"""What exercises and answers import, read from their text, and imported before a check's clock starts."""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib
import importlib.util
import sys
import sysconfig
import warnings
from collections.abc import Iterable
from pathlib import Path

from tunelings.course import Exercise
from tunelings.writing import read_regular

COMPILER = "torch._dynamo"


def needed_imports(exercises: Iterable[Exercise]) -> list[str]:
    """The absolute imports of the solutions and checks, as "module" or "module:name", sorted.

    Read from the syntax tree; torch's compiler is added where an optimizer is named: the first one made imports it.
    """
    found: set[str] = set()
    for exercise in exercises:
        for path in (exercise.solution_path, exercise.check_path):
            with contextlib.suppress(OSError, SyntaxError, ValueError):  # The verdict will say so.
                text = read_regular(path)
                found |= _imports_of(text) | ({COMPILER} if "optim" in text else set())
    return sorted(found - {"__future__:annotations"})


@functools.lru_cache(maxsize=256)
def _imports_of(text: str) -> set[str]:
    return _imports(ast.parse(text).body)


def _imports(nodes: Iterable[ast.AST]) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}:{alias.name}" for alias in node.names}
    return found


def import_all(specs: Iterable[str]) -> None:
    """Import each "module" or "module:name"; where one cannot be imported, the verdict will say so."""
    for spec in specs:
        module, _, name = spec.partition(":")
        with contextlib.suppress(ImportError, AttributeError):
            loaded = importlib.import_module(module)
            if name:
                getattr(loaded, name)  # transformers imports its classes on first use.


@functools.lru_cache(maxsize=64)
def import_libraries(text: str) -> None:
    """Import the installed packages that an answer imports anywhere, also inside a function.

    A file of the learner's own is left to the answer: it runs on the check's clock.
    """
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # They come again, where the answer itself imports.
        for spec in sorted(_imports(nodes)):
            with contextlib.suppress(Exception):
                if _is_installed(spec.partition(":")[0]):
                    import_all([spec])


@functools.lru_cache(maxsize=256)
def _is_installed(module: str) -> bool:
    """The top package of this module is part of Python, or stands where packages are installed."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return True
    spec = importlib.util.find_spec(top)
    places = [sysconfig.get_path(name) for name in ("purelib", "platlib")]
    return bool(spec and spec.origin and any(Path(place) in Path(spec.origin).parents for place in places))
