"""Under what a result is kept: a hash of all that it depends on, so that what is equal runs once."""

from __future__ import annotations

import ast
import functools
import hashlib
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tunelings.classroom.sandbox import Isolation
from tunelings.course import FULL_RUN_MARKS, PACKAGE, Course, Exercise
from tunelings.grading import environment

VERSION = 1  # of what is kept; grows when its form or its meaning changes
DEFAULT_LIMIT = 10.0  # as in grading.run, which imports torch; a test says that they are the same


def hash_of(parts: Iterable[bytes]) -> str:
    """One hash of several parts, each with its length, so that none runs into the next."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


@functools.cache
def _tree_hash(folder: Path) -> str:
    """Of the names and contents of all files below a folder; bytecode is none of them."""
    return hash_of(_files(folder))


def _files(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(folder).as_posix().encode()
            yield path.read_bytes()


def surroundings(course: Course) -> dict[str, str]:
    """What every result depends on: hashes of this package, the data and the references, and all versions."""
    versions = {one.name: version or "" for one, version in environment.installed().items()}
    return {
        "package": _tree_hash(PACKAGE),
        "data": _tree_hash(course.root / "data"),
        "solutions": _tree_hash(course.root / "solutions"),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        **{f"package {name}": version for name, version in sorted(versions.items())},
    }


def exercise_hashes(exercise: Exercise) -> dict[str, str]:
    """Hashes of the three files that make an exercise."""
    paths = {"check": exercise.check_path, "card": exercise.card_path, "solution": exercise.solution_path}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items()}


@dataclass(frozen=True)
class Keys:
    """The keys of one run: everything but the answer is known beforehand."""

    common: str
    by_exercise: dict[str, str]

    def of(self, number: str, answer: bytes, usual: Iterable[str]) -> str:
        """The key of an answer's result; `usual` decides on its flags."""
        return hash_of([self.common.encode(), self.by_exercise[number].encode(), answer, "\n".join(usual).encode()])


def keys_for(course: Course, exercises: Iterable[Exercise], seed: int, isolation: Isolation) -> Keys:
    """The keys of results of these exercises under this seed and isolation."""
    lines = [str(VERSION), str(seed), isolation, *(f"{name}={value}" for name, value in surroundings(course).items())]
    by_exercise = {one.number: hash_of(part.encode() for part in exercise_hashes(one).values()) for one in exercises}
    return Keys(hash_of(line.encode() for line in lines), by_exercise)


def limits_of(exercise: Exercise) -> tuple[float, ...]:
    """The limit in seconds of each check that decides, read from its `@pytest.mark.timeout(N)`."""
    tree = ast.parse(exercise.check_path.read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    marks = [dict(_mark(one) for one in function.decorator_list) for function in functions]
    return tuple(one.get("timeout") or DEFAULT_LIMIT for one in marks if not FULL_RUN_MARKS & one.keys())


def _mark(node: ast.expr) -> tuple[str, float | None]:
    """The name of `@pytest.mark.name` or `@pytest.mark.name(number)`, and the number."""
    call, target = (node, node.func) if isinstance(node, ast.Call) else (None, node)
    name = target.attr if isinstance(target, ast.Attribute) else ""
    value = call.args[0].value if call and call.args and isinstance(call.args[0], ast.Constant) else None
    return name, float(value) if isinstance(value, int | float) else None
