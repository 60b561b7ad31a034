"""An unknown failure of a class becomes the draft of a mistake for the card, and a kept wrong answer.

The draft's form is made by comparing the answer with the reference, line by line. What a person has to say is marked
TODO(new): what goes wrong, and which words of the docstring it breaks.
"""

from __future__ import annotations

import ast
import difflib
import io
import json
import re
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunelings.cards import Mistake, read_card
from tunelings.course import Course, CourseError, Exercise, shown_path
from tunelings.writing import write_atomically

LEFT = "TODO(new)"


@dataclass(frozen=True)
class Edit:
    """The lines `start` to `end` (not included, from 0) of the solution become `new`."""

    start: int
    end: int
    new: str


@dataclass(frozen=True)
class Draft:
    """entry: the TOML of the mistake; answer: the kept wrong answer; form: its edits (old, new) of the solution."""

    exercise: Exercise
    id: str
    entry: str
    answer: str
    form: tuple[tuple[str, str], ...]


def draft(course: Course, out: Path, cluster: str) -> Draft:
    """The draft for a cluster of the results in `out`.

    Raises:
        CourseError: there are no such results or cluster, its answer isn't kept or no Python, or nothing in it
            differs from the reference.
    """
    found = _cluster(out, cluster)
    exercise = course.find(found["exercise"])
    path = out / "clusters" / f"{cluster}.py"
    try:
        answer = without_comments(path.read_text(encoding="utf-8"))
    except OSError:
        raise CourseError(f"{shown_path(path)} is missing: grade again with the answers at hand.") from None
    except (SyntaxError, ValueError, tokenize.TokenError) as error:
        raise CourseError(f"{shown_path(path)} isn't valid Python: {error}.") from None
    solution = exercise.solution_path.read_text(encoding="utf-8")
    form = edits(solution, answer)
    if not form:
        raise CourseError(f"{shown_path(path)} differs from the reference only in layout: there's nothing to draft.")
    id = f"unnamed-{cluster.rpartition('-')[2]}"
    return Draft(exercise, id, _entry(id, form, found), f"# names: {id}\n# breaks: {_toml(LEFT)}\n\n\n{answer}", form)


def write(made: Draft, folder: Path | None) -> list[Path]:
    """Write a draft into its course, or into a folder with the tree of one; returns the paths.

    In the course the entry is added at the end of the card, whose text stays.

    Raises:
        CourseError: one of the files is there already, or the card has such a mistake; then nothing is written.
    """
    exercise, root = made.exercise, folder or made.exercise.root
    card = root / exercise.card_path.relative_to(exercise.root)
    kept = root / "tests" / "answers" / "wrong" / exercise.module / exercise.name / f"{made.id.replace('-', '_')}.py"
    if kept.exists() or (folder and card.exists()):
        raise CourseError(f"{shown_path(kept if kept.exists() else card)} exists already; nothing was written.")
    if folder is None and any(mistake.id == made.id for mistake in read_card(card).mistakes):
        raise CourseError(f"{shown_path(card)} has a mistake {made.id} already; nothing was written.")
    for path in (card, kept):
        path.parent.mkdir(parents=True, exist_ok=True)
    before = f"{card.read_text(encoding='utf-8').rstrip()}\n\n" if folder is None else ""
    write_atomically(kept, made.answer)
    write_atomically(card, before + made.entry)
    return [card, kept]


def _cluster(out: Path, name: str) -> dict[str, Any]:
    path = out / "report.json"
    try:
        items = json.loads(path.read_text(encoding="utf-8"))["items"]
        clusters = {one["id"]: {**one, "exercise": item["exercise"]} for item in items for one in item["clusters"]}
    except (OSError, ValueError, KeyError, TypeError):
        raise CourseError(f"{shown_path(path)} can't be read: give the folder that `tunelings grade` wrote.") from None
    if name not in clusters:
        known = ", ".join(list(clusters)[:5]) or "none"
        raise CourseError(f"There is no cluster {name!r} in {shown_path(path)}; there are {known}.")
    return clusters[name]


def _entry(id: str, form: tuple[tuple[str, str], ...], cluster: Mapping[str, Any]) -> str:
    came_out = cluster["got"] or cluster["message"]
    seen = " ".join(f"{cluster['sentence']}: {cluster['what']} {came_out}".split())
    lines = ",\n".join(f"    {{ old = {_toml(old)}, new = {_toml(new)} }}" for old, new in form)
    return "\n".join(
        [
            f"# {LEFT}: {cluster['count']} of a class fail at: {seen}",
            "[[mistakes]]",
            f"id = {_toml(id)}",
            f"says = {_toml(f'{LEFT}: what goes wrong, in one line.')}",
            f"breaks = {_toml(f'{LEFT}: the words of the docstring')}",
            f"forms = [[\n{lines},\n]]\n",
        ]
    )


def _toml(text: str) -> str:
    """A basic string of TOML: JSON's, but for DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def without_comments(text: str) -> str:
    """The code without its comments, in which students write their names."""
    ast.parse(text)
    lines = text.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip() + "\n"
    return re.sub(r"\n{4,}", "\n\n\n", "".join(lines)).strip("\n") + "\n"


# ---------------------------------------------------------------- from an answer to edits of the solution
def edits(solution: str, answer: str) -> tuple[tuple[str, str], ...]:
    """The edits (old, new) that make of the solution what does what the answer does; each `old` stands in it once.

    Few small ones where they can be told apart, else one from the first line that differs to the last.
    """
    lines = solution.splitlines(keepends=True)
    found = _differing(lines, answer.splitlines(keepends=True))
    if not found:
        return ()
    whole = Edit(found[0].start, found[-1].end, _joined(lines, found))
    for tried in (found, [whole]):
        form = tuple(("".join(lines[one.start : one.end]), one.new) for one in _unique(lines, tried))
        if _makes(form, solution, answer):
            return _needed(form, solution, answer)
    return ((solution, answer),)


def _needed(form: tuple[tuple[str, str], ...], solution: str, answer: str) -> tuple[tuple[str, str], ...]:
    """The edits without those that leave out a docstring, a type or an import alone."""
    for edit in form:
        fewer = tuple(one for one in form if one is not edit)
        if fewer and _makes(fewer, solution, answer):
            form = fewer
    return form


def _differing(lines: list[str], others: list[str]) -> list[Edit]:
    """Where two texts differ, blank lines and comments aside."""
    own = [number for number, line in enumerate(lines) if _counts(line)]
    theirs = [number for number, line in enumerate(others) if _counts(line)]
    matcher = difflib.SequenceMatcher(
        None, [lines[n].rstrip() for n in own], [others[n].rstrip() for n in theirs], autojunk=False
    )
    found = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            continue
        new = "".join(others[theirs[j1] : theirs[j2 - 1] + 1]) if j2 > j1 else ""
        if i2 > i1:
            found.append(Edit(own[i1], own[i2 - 1] + 1, new))
        else:  # An insertion: after the line before it.
            at = own[i1 - 1] if i1 else 0
            found.append(Edit(at, at + 1, lines[at] + new if i1 else new + lines[at]))
    return found


def _counts(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _unique(lines: list[str], found: list[Edit]) -> list[Edit]:
    """Each edit with as many lines above it as make it the only place; edits that touch become one."""
    text = "".join(lines)
    made: list[Edit] = []
    for edit in found:
        while text.count("".join(lines[edit.start : edit.end])) != 1 and (edit.start or edit.end < len(lines)):
            if edit.start:
                edit = Edit(edit.start - 1, edit.end, lines[edit.start - 1] + edit.new)
            else:
                edit = Edit(0, edit.end + 1, edit.new + lines[edit.end])
            if made and edit.start < made[-1].end:
                last = made.pop()
                edit = Edit(last.start, edit.end, last.new + edit.new[len(lines[edit.start]) :])
        made.append(edit)
    return made


def _joined(lines: list[str], found: list[Edit]) -> str:
    parts = [found[0].new]
    for before, edit in zip(found, found[1:], strict=False):
        parts += [*lines[before.end : edit.start], edit.new]
    return "".join(parts)


def _makes(form: tuple[tuple[str, str], ...], solution: str, answer: str) -> bool:
    """The edits fit the solution, and what they make of it does what the answer does."""
    from tunelings.grading.vectors import apply

    try:
        (made, more), (wanted, needed) = map(_code, (apply(Mistake("draft", "", (form,)), 0, solution), answer))
    except (CourseError, SyntaxError):
        return False
    return made == wanted and more >= needed


def _code(text: str) -> tuple[str, set[tuple[str, str, str]]]:
    """A module without docstrings and types, as text, and what it imports at its top."""
    tree = ast.parse(text)
    imported = {
        (getattr(node, "module", None) or "", alias.name, alias.asname or "")
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    tree.body = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if node.body and ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
    return ast.dump(tree), imported
