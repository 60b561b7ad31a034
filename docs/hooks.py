"""MkDocs hook: what the pages say of an exercise comes from its card, its docstring and the course on disk.

A lesson holds two marks: `<!-- exercise -->` (the contract and the commands) and `<!-- mistakes -->` (the
table of known mistakes). The home page holds `<!-- modules -->`.
"""

from __future__ import annotations

import ast
import re
from html import unescape
from pathlib import Path

import latex2mathml.converter

from tunelings.course import MODULES, Course, Exercise

# What arithmatex makes of $…$ and $$…$$.
FORMULA = re.compile(r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<tex>.*?)\\[)\]]</(?P=tag)>', re.DOTALL)
COURSE = Course(Path(__file__).resolve().parent.parent)


def on_page_markdown(markdown: str, page, **_) -> str:
    parts = {"<!-- modules -->": module_list()} if "<!-- modules -->" in markdown else {}
    if exercise := exercise_of(page.file.src_uri):
        parts["<!-- exercise -->"] = exercise_block(exercise)
        parts["<!-- mistakes -->"] = mistakes_table(exercise)
    for mark, text in parts.items():
        markdown = markdown.replace(mark, text)
    return markdown


def on_page_content(html: str, **_) -> str:
    """Formulas as MathML, which browsers draw themselves: no script and no font is loaded."""
    return FORMULA.sub(mathml, html)


def mathml(match: re.Match) -> str:
    inline = match["tag"] == "span"
    return latex2mathml.converter.convert(unescape(match["tex"]), display="inline" if inline else "block")


def exercise_of(src_uri: str) -> Exercise | None:
    pages = {f"{e.module}/{e.card.lesson}.md": e for e in COURSE.exercises}
    return pages.get(src_uri)


def exercise_block(exercise: Exercise) -> str:
    """The contract, as the stub's docstring states it, and what to type."""
    card = exercise.card
    tree = ast.parse(exercise.solution_path.read_text(encoding="utf-8"))
    contracts = [contract for node in tree.body if (contract := contract_of(node))]
    commands = f"```\ntunelings hint {exercise.number}\npytest {relative(exercise.check_path)}\n```"
    effort = f"{card.minutes} minutes, difficulty {card.difficulty} of 5"
    head = f"**{exercise.number} {card.title}** · `{relative(exercise.answer_path)}` · {effort}"
    return "\n\n".join([head, *contracts, commands])


def contract_of(node: ast.stmt) -> str:
    if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
        return ""
    docstring = ast.get_docstring(node)
    if not docstring:
        return ""
    signature = f"class {node.name}" if isinstance(node, ast.ClassDef) else f"def {node.name}({ast.unparse(node.args)})"
    return f"```python\n{signature}\n```\n\n```text\n{docstring}\n```"


def mistakes_table(exercise: Exercise) -> str:
    rows = [f"| `{mistake.id}` | {cell(mistake.says)} |" for mistake in exercise.card.mistakes]
    return "\n".join(["| mistake | what gives the same result |", "|---|---|", *rows])


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def module_list() -> str:
    lines = []
    for module, title in MODULES.items():
        exercises = COURSE.module(module)
        lines.append(f"\n### Module {int(module[-2:])} · {title}\n")
        links = [f"- [{e.number} {e.title}]({e.module}/{e.card.lesson}.md)" for e in exercises]
        lines += links or ["No exercises yet."]
    return "\n".join(lines)


def relative(path: Path) -> str:
    return path.relative_to(COURSE.root).as_posix()
