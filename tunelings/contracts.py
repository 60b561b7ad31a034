"""The contract of an exercise as the site shows it: each docstring as HTML whose lines wrap to the reader's width.

A docstring is broken at the width of its file. Here a paragraph, an item and an entry are one line each again, and keep
their indentation.
"""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

FULL = 92  # A line that the next word would have made longer than this was broken for want of room.
ITEM = re.compile(r"(?:[-*]|\d+\.) ")
ENTRY = re.compile(r"`?\w+`?(?:, `?\w+`?)*: ")
HEADING = re.compile(r"(?:Args|Arguments|Attributes|Fields|Keys|Raises|Returns|Writes|Yields)\b[^.]*:$")
ALIGNED = re.compile(r"\S {2,}\S")
INLINE = re.compile(
    r"(?P<fence>```)|`(?P<code>[^`]+)`|\*\*(?P<strong>\w[^*]*)\*\*|(?P<link>https?://[^\s,;]+[^\s.,;)])"
)


class Line(NamedTuple):
    """A paragraph, an item or an entry on one line; `indent` in columns. A literal one keeps its spaces."""

    indent: int
    text: str
    is_literal: bool = False


def contract_html(source: str) -> str:
    """The public functions and classes of a solution or a stub: their signatures and docstrings, as Markdown."""
    return "\n\n".join(part for node in ast.parse(source).body for part in parts(node, source))


def parts(node: ast.stmt, source: str) -> Iterator[str]:
    """The contract of a function; of a class also those of its methods that have one. Nothing where there is none."""
    if not isinstance(node, ast.FunctionDef | ast.ClassDef) or not _is_public(node.name):
        return
    if docstring := ast.get_docstring(node):
        signature = f"<div class='signature' markdown>\n\n```python\n{head(node, source)}\n```\n\n</div>"
        yield f"{signature}\n\n{docstring_html(docstring)}"
    if isinstance(node, ast.ClassDef):
        for child in node.body:
            yield from parts(child, source)


def _is_public(name: str) -> bool:
    return name == "__init__" or not (name.startswith("_") or name == "main")


def head(node: ast.FunctionDef | ast.ClassDef, source: str) -> str:
    """What stands before the docstring, as it is written there; of a class without methods also its fields."""
    lines = source.splitlines()[node.lineno - 1 : node.body[0].lineno - 1]
    body = node.body if isinstance(node, ast.ClassDef) else []
    fields = [ast.unparse(child) for child in body if isinstance(child, ast.AnnAssign)]
    indent = node.col_offset
    return "\n".join([*(line[indent:] for line in lines), *(f"    {field}" for field in fields)]).rstrip()


def docstring_html(docstring: str) -> str:
    """A docstring as a box of paragraphs. Its text is escaped; code, emphasis and links are marked up."""
    shown = []
    lines = whole_sentences(with_literals(unwrapped(docstring)))
    for is_literal, alike in groupby(lines, key=lambda line: line.is_literal):
        if is_literal:
            text = "\n".join(" " * (line.indent - 4) + line.text for line in alike)
            shown.append(f'<pre tabindex="0">{html.escape(text)}</pre>')
        else:
            shown += [paragraph(line) for line in alike]
    return '<div class="contract">' + "".join(shown) + "</div>"


def paragraph(line: Line) -> str:
    text = inline(line.text)
    if HEADING.match(line.text):
        text = f"<strong>{text}</strong>"
    hanging = " hanging" if ITEM.match(line.text) or ENTRY.match(line.text) else ""
    return f'<p class="indent-{line.indent // 4}{hanging}">{text}</p>'


def inline(text: str) -> str:
    """One line with its code, emphasis and links; all else is escaped."""
    shown, end = [], 0
    for found in INLINE.finditer(text):
        shown += [html.escape(text[end : found.start()]), _marked_up(found)]
        end = found.end()
    return "".join([*shown, html.escape(text[end:])])


def _marked_up(found: re.Match) -> str:
    words = html.escape(found[found.lastgroup or 0])
    if found.lastgroup == "link":
        return f'<a href="{words}">{words}</a>'
    if found.lastgroup == "fence":
        return f"<code>{words}</code>"
    return f"<{found.lastgroup}>{words}</{found.lastgroup}>"


def with_literals(lines: Iterable[Line]) -> Iterator[Line]:
    """Says of each line whether it is literal: code, a formula or a table, set off below an ordinary sentence."""
    above: Line | None = None  # the last line that was not literal
    for line in lines:
        opens = above is not None and any(kind.match(above.text) for kind in (HEADING, ENTRY, ITEM))
        literal = above is not None and not opens and line.indent >= above.indent + 4
        yield line._replace(is_literal=literal)
        above = above if literal else line


def whole_sentences(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines, with a paragraph that was broken early, in the middle of a sentence, as one again."""
    current: Line | None = None
    for line in lines:
        if current and _is_rest(line, current):
            current = current._replace(text=f"{current.text} {line.text}")
            continue
        if current:
            yield current
        current = line
    if current:
        yield current


def _is_rest(line: Line, above: Line) -> bool:
    if line.is_literal or above.is_literal or line.indent != above.indent or ITEM.match(line.text):
        return False
    return above.text[-1].isalpha() and line.text[0].islower() and not ENTRY.match(line.text)


def unwrapped(docstring: str) -> Iterator[Line]:
    """The lines of a docstring, with those joined that were broken for want of room; blank ones are left out."""
    current: list[str] = []
    indent = last = 0
    for raw in docstring.splitlines():
        text = raw.strip()
        if current and not _goes_on(current, last, text):
            yield Line(indent, " ".join(current))
            current = []
        if text:
            indent = indent if current else len(raw) - len(raw.lstrip())
            current.append(text)
        last = len(raw)
    if current:
        yield Line(indent, " ".join(current))


def _goes_on(current: list[str], width: int, text: str) -> bool:
    """Whether `text` is the rest of the paragraph whose last line has `width` columns."""
    if not text or ITEM.match(text) or HEADING.match(text) or ALIGNED.search(text) or ALIGNED.search(current[-1]):
        return False
    starts = ENTRY.match(text) and not current[-1][-1].isalpha()  # In the middle of a sentence, "word: " is no entry.
    return not starts and width + 1 + len(text.split()[0]) > FULL
