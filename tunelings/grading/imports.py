"""What the exercises of a module import, read without importing it."""

from __future__ import annotations

import ast
import contextlib
import functools
from collections.abc import Iterable

from tunelings.course import Exercise


def needed_imports(exercises: Iterable[Exercise]) -> list[str]:
    """The absolute imports of the solutions and checks, as "module" or "module:name", sorted.

    Read from the syntax tree; torch's compiler is added, since the first optimizer step imports it.
    """
    found: set[str] = set()
    for exercise in exercises:
        for path in (exercise.solution_path, exercise.check_path):
            with contextlib.suppress(OSError, SyntaxError, ValueError):  # The verdict will say so.
                found |= _imports(path.read_text(encoding="utf-8"))
    if any(name.split(":")[0].split(".")[0] == "torch" for name in found):
        found.add("torch._dynamo")
    return sorted(found - {"__future__:annotations"})


@functools.lru_cache(maxsize=256)
def _imports(text: str) -> set[str]:
    found: set[str] = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}:{alias.name}" for alias in node.names}
    return found
