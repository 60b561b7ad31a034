"""What an answer has in it that a person may want to look at: read from its syntax tree, shown, never punished."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

from tunelings.course import Exercise
from tunelings.grading import stubs
from tunelings.grading.answers import UNREADABLE

# By a module that is imported, or a name or an attribute that is used; what it could be used for.
_WORDS = {
    "__builtins__": "changes what Python itself does",
    "__code__": "reads or changes the code of functions",
    "__globals__": "reaches into other modules",
    "__import__": "imports by name",
    "__subclasses__": "looks for classes by their base",
    "_current_frames": "reads the frames of its callers",
    "_getframe": "reads the frames of its callers",
    "builtins": "changes what Python itself does",
    "ctypes": "uses ctypes",
    "currentframe": "reads the frames of its callers",
    "eval": "runs text as code",
    "exec": "runs text as code",
    "f_back": "reads the frames of its callers",
    "f_globals": "reads the frames of its callers",
    "f_locals": "reads the frames of its callers",
    "fromfile": "opens files",
    "gc": "looks through all objects (gc)",
    "importlib": "imports by name",
    "inspect": "looks at code and frames (inspect)",
    "open": "opens files",
    "os.fork": "starts processes",
    "os.kill": "ends processes",
    "os.popen": "starts processes",
    "os.system": "starts processes",
    "pathlib": "opens files",
    "pytest": "speaks to pytest",
    "runpy": "runs text as code",
    "setprofile": "traces what runs",
    "settrace": "traces what runs",
    "socket": "uses the network",
    "subprocess": "starts processes",
    "sys.modules": "reaches into other modules",
    "tb_frame": "reads the frames of its callers",
    "tunelings.expect": "imports what the checks are written in",
    "tunelings.grading": "imports the grader",
    "walk_stack": "reads the frames of its callers",
    "urllib": "uses the network",
}
_COMMON = {"eval", "exec"}  # names of methods, too: model.eval()
_TEXTS = {"solutions": "names the folder solutions/", "/proc": "names the folder /proc"}
SAME = "the same syntax tree as the reference"


def usual(exercise: Exercise) -> list[str]:
    """What the exercise's own solution, stub and kept answers have in them, which is therefore no flag."""
    solution = exercise.solution_path.read_text(encoding="utf-8")
    texts = [solution, stubs.cut(solution)]
    for kind in ("right", "wrong"):
        kept = Path(exercise.root, "tests", "answers", kind, exercise.relative_path.with_suffix(""))
        texts += [path.read_text(encoding="utf-8") for path in sorted(kept.glob("*.py"))]
    return sorted({flag for text in texts for flag in _found(text)})


def of(text: str, solution: str, usual: Iterable[str]) -> list[str]:
    """The flags of an answer, sorted; an answer that doesn't parse has none."""
    found = _found(text) - set(usual)
    if _tree(text) is not None and _tree(text) == _tree(solution):
        found.add(SAME)
    return sorted(found)


def _found(text: str) -> set[str]:
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except UNREADABLE:
        return set()
    found = {flag for node in nodes for word in _words(node) if (flag := _flag(word))}
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return found | {flag for part, flag in _TEXTS.items() if any(part in one for one in texts)}


def _words(node: ast.AST) -> list[str]:
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom(module=str() as module):
            return [module, *(f"{module}.{alias.name}" for alias in node.names), *(one.name for one in node.names)]
        case ast.Name():
            return [node.id]
        case ast.Attribute(attr=attr, value=value):
            name = f"{value.id}.{attr}" if isinstance(value, ast.Name) else ""
            return [name] if attr in _COMMON else [attr, name]
    return []


def _flag(word: str) -> str | None:
    """That of the word, or of a package that it is in."""
    parts = word.split(".")
    return next((_WORDS[key] for n in range(len(parts), 0, -1) if (key := ".".join(parts[:n])) in _WORDS), None)


def _tree(text: str) -> str | None:
    """The syntax tree without docstrings; None where there is none."""
    try:
        tree = ast.parse(text)
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
                node.body = body[1:] if body else []
        return ast.dump(tree)
    except UNREADABLE:
        return None
