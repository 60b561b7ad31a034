"""What an exercise's code is, whatever its words say."""

from __future__ import annotations

import ast
import hashlib

from tunelings.course import Exercise
from tunelings.writing import read_regular

_WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def code_hash(exercise: Exercise) -> str:
    """Of the code of solution and checks: another word in a docstring or a comment changes no mutant."""
    digest = hashlib.sha256()
    for path in (exercise.solution_path, exercise.check_path):
        tree = ast.parse(read_regular(path))
        for node in ast.walk(tree):
            if isinstance(node, _WITH_DOCSTRING) and ast.get_docstring(node, clean=False) is not None:
                node.body[0] = ast.Pass()
        digest.update(ast.dump(tree).encode())
    return digest.hexdigest()[:16]
