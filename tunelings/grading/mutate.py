"""Syntactic mutants of a solution: how many small changes would the checks let through?

The operators are the usual ones of mutation testing (comparison, arithmetic, constant, condition,
statement, arguments); they act on what stands between BEGIN and END SOLUTION.
"""

from __future__ import annotations

import ast
import copy
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tunelings.course import CourseError, Exercise
from tunelings.grading import stubs
from tunelings.grading.answers import Source, read
from tunelings.grading.run import checks_of
from tunelings.grading.states import CheckState
from tunelings.grading.vectors import run_apart, silence

_COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Div, ast.Mod: ast.Mult, ast.MatMult: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One changed solution: `name` says what was changed and stays the same where `line` (from 1) does not."""

    name: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.name}"


def mutants(solution: str) -> list[Mutant]:
    """All mutants of a solution's regions, those that leave the syntax tree as it was left out."""
    tree = ast.parse(solution)
    lines = stubs.solution_lines(solution)
    original = ast.dump(tree)
    found: list[Mutant] = []
    seen: Counter[str] = Counter()
    for path, node in _walk(tree):
        line = getattr(node, "lineno", None)
        if line not in lines:
            continue
        for replacement in _changes(node):
            mutated = _replaced(tree, path, replacement)
            if ast.dump(mutated) == original:
                continue
            name = f"{_text(node)} -> {_text(replacement)}"
            seen[name] += 1
            suffix = f" #{seen[name]}" if seen[name] > 1 else ""
            found.append(Mutant(name + suffix, line, ast.unparse(mutated) + "\n"))
    return found


def _text(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:100]


_Node = TypeVar("_Node", bound=ast.AST)
_Path = tuple[tuple[str, int | None], ...]


def _walk(node: ast.AST, path: _Path = ()) -> Iterator[tuple[_Path, ast.AST]]:
    """Every node with its path from the root; docstrings and annotations are left alone."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list"}:
            continue
        children = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, child in children:
            if isinstance(child, ast.AST) and not _is_docstring(child):
                yield (*path, (name, index)), child
                yield from _walk(child, (*path, (name, index)))


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _replaced(tree: ast.AST, path: _Path, replacement: ast.AST) -> ast.AST:
    mutated = copy.deepcopy(tree)
    parent = mutated
    for name, index in path[:-1]:
        parent = getattr(parent, name) if index is None else getattr(parent, name)[index]
    name, index = path[-1]
    if index is None:
        setattr(parent, name, replacement)
    else:
        getattr(parent, name)[index] = replacement
    return ast.fix_missing_locations(mutated)


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
        yield _with(node, ops=[_COMPARISONS[type(node.ops[0])](), *node.ops[1:]])
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _ARITHMETIC:
        yield _with(node, op=_ARITHMETIC[type(node.op)]())
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield _with(node, value=not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield from (_with(node, value=node.value + step) for step in (1, -1))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        yield node.operand
    elif isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.Call):
        yield from _call_changes(node)
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.Expr | ast.Assign | ast.AugAssign | ast.Raise | ast.Return | ast.With):
        yield ast.Pass()


def _call_changes(node: ast.Call) -> Iterator[ast.Call]:
    if len(node.args) >= 2 and not any(isinstance(arg, ast.Starred) for arg in node.args[:2]):
        yield _with(node, args=[node.args[1], node.args[0], *node.args[2:]])
    for index in range(len(node.keywords)):
        yield _with(node, keywords=node.keywords[:index] + node.keywords[index + 1 :])


def _with(node: _Node, **fields) -> _Node:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def survivors(exercise: Exercise, folder: Path, seed: int = 0) -> tuple[int, list[Mutant]]:
    """How many mutants the exercise has, and those that pass every check."""
    solution = read(exercise.solution_path)
    checks = checks_of(exercise.check_path, exercise.check_names())

    def passes(source: Source) -> bool:
        with silence():
            return all(run_apart(check, source, seed, 0, folder).state == CheckState.PASSED for check in checks)

    if not passes(solution):
        raise CourseError(f"{exercise.number}: the solution itself does not pass, so its mutants say nothing.")
    found = mutants(solution.text)
    paths = [exercise.solution_path.with_name(f"{exercise.name}-mutant-{n}.py") for n in range(len(found))]
    sources = [Source(path, mutant.text) for path, mutant in zip(paths, found, strict=True)]
    return len(found), [mutant for mutant, source in zip(found, sources, strict=True) if passes(source)]


def listed_survivors(root: Path) -> dict[str, dict[str, str]]:
    """`tests/survivors.toml`: for each exercise, the names of the mutants that change nothing, and why."""
    path = root / "tests" / "survivors.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
