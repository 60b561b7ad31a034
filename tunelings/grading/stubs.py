"""Cut the stub out of the solution, and tell an untouched stub from a started answer.

What stands between `# BEGIN SOLUTION` and `# END SOLUTION` is cut out (the convention of nbgrader and
otter-grader). The words after `# BEGIN SOLUTION` become the TODO; a region without words leaves nothing.
"""

from __future__ import annotations

import ast
import re

from tunelings.course import SENTINEL

_BEGIN = re.compile(r"(?P<indent>\s*)# BEGIN SOLUTION(?:: ?(?P<todo>.+))?$")
_TODO = re.compile(rf"\s*# {SENTINEL}: (.+)")
_END = re.compile(r"\s*# END SOLUTION$")
Function = ast.FunctionDef | ast.AsyncFunctionDef


class StubError(Exception):
    """A solution's regions are not well formed."""


def cut(solution: str) -> str:
    """The stub of `solution` (both are source text)."""
    stub: list[str] = []
    inside = False
    for number, line in enumerate(solution.splitlines(), start=1):
        if begin := _BEGIN.match(line):
            if inside:
                raise StubError(f"line {number}: BEGIN SOLUTION inside a solution")
            inside = True
            if begin["todo"]:
                stub += _todo(begin["indent"], begin["todo"])
        elif _END.match(line):
            if not inside:
                raise StubError(f"line {number}: END SOLUTION without a beginning")
            inside = False
        elif not inside:
            stub.append(line)
    if inside:
        raise StubError("the last BEGIN SOLUTION has no END SOLUTION")
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(stub)).rstrip("\n") + "\n"


def _todo(indent: str, todo: str) -> list[str]:
    return [f"{indent}# {SENTINEL}: {todo}", f'{indent}raise NotImplementedError("{SENTINEL}")']


def todos(stub: str) -> dict[str, str]:
    """The words of the TODOs of a stub, by the function or method that each stands in; SyntaxError if it has none."""
    lines = stub.splitlines()
    found = {}
    for name, node in _functions(ast.parse(stub)).items():
        words = [_TODO.match(line) for line in lines[node.lineno : node.end_lineno]]
        if said := " ".join(match[1] for match in words if match):
            found[name] = said
    return found


def uncut(solution: str) -> str:
    """The solution as a learner may read it: without the region marks."""
    kept = [line for line in solution.splitlines() if not (_BEGIN.match(line) or _END.match(line))]
    return "\n".join(kept) + "\n"


def solution_lines(solution: str) -> set[int]:
    """The numbers of the lines that stand in a region of the solution."""
    numbers, inside = set(), False
    for number, line in enumerate(solution.splitlines(), start=1):
        if _BEGIN.match(line):
            inside = True
        elif _END.match(line):
            inside = False
        elif inside:
            numbers.add(number)
    return numbers


def open_todos(answer: str, stub: str) -> tuple[list[str], int]:
    """The functions of `answer` that are still as the stub left them, and how many the stub has.

    Compared by syntax tree, so comments and layout do not count. Untouched, `pass`, `...`
    and a docstring alone read as not started. Raises SyntaxError if `answer` does not parse.
    """
    todo = {name: node for name, node in _functions(ast.parse(stub)).items() if _has_sentinel(node)}
    written = _functions(ast.parse(answer))
    still_open = [name for name, node in todo.items() if _is_untouched(written.get(name), node)]
    return still_open, len(todo)


def _functions(tree: ast.Module) -> dict[str, Function]:
    """Functions and methods by qualified name; what stands inside a function belongs to it."""
    found: dict[str, Function] = {}

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function):
                found[prefix + child.name] = child
            elif isinstance(child, ast.ClassDef):
                visit(child, f"{prefix}{child.name}.")

    visit(tree, "")
    return found


def _has_sentinel(node: ast.AST) -> bool:
    return any(isinstance(child, ast.Raise) and _raises_sentinel(child) for child in ast.walk(node))


def _raises_sentinel(node: ast.Raise) -> bool:
    call = node.exc
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "NotImplementedError"
        and len(call.args) == 1
        and isinstance(call.args[0], ast.Constant)
        and call.args[0].value == SENTINEL
    )


def _is_untouched(written: Function | None, stub: Function) -> bool:
    if written is None:
        return False  # Moved or renamed on purpose: the checks will say what is missing.
    body, stub_body = _without_docstring(written), _without_docstring(stub)
    return all(_does_nothing(node) for node in body) or _dump(body) == _dump(stub_body)


def _without_docstring(function: Function) -> list[ast.stmt]:
    has_docstring = ast.get_docstring(function, clean=False) is not None
    return function.body[1:] if has_docstring else function.body


def _does_nothing(node: ast.stmt) -> bool:
    is_ellipsis = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Pass) or is_ellipsis


def _dump(body: list[ast.stmt]) -> str:
    return "\n".join(ast.dump(node) for node in body)
