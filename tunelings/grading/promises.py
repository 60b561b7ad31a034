"""What an exercise promises: its contract, sentence by sentence, and which wrong answer breaks each.

A wrong answer in `tests/answers/wrong` quotes what it breaks in its head, `# breaks: "verbatim words"`, and so may a
mistake on the card. A sentence that promises nothing stands in `tests/promises.toml`, with the reason.
"""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tunelings.course import Exercise
from tunelings.grading import stubs

_ITEM = re.compile(r"(?:[-*]|(?P<number>\d+)\.) ")
_ENTRIES = re.compile(r"(?:Args|Arguments|Attributes|Fields|Raises|Keys):$")  # Each line at the next indent begins one.
_HEADING = re.compile(r"[A-Z][\w ]*:$")
_SENTENCE_END = re.compile(r"(?<=[.?!])[\"'`)]*\s+(?=[\"'`*A-Z])")
_QUOTE = re.compile(r'# breaks: "(.+)"$')


@dataclass
class Promise:
    """One sentence, list item or example of a docstring."""

    owner: str  # the function or class; "" for the file's own docstring
    text: str  # white space made single
    broken_by: list[str] = field(default_factory=list)  # what quotes it: a file's stem, or a mistake's id
    reason: str = ""  # why it promises nothing

    def __str__(self) -> str:
        """With its function before it, by which a quote tells apart what stands in two of them."""
        return f"{self.owner}: {self.text}" if self.owner else self.text

    @property
    def is_open(self) -> bool:
        return not self.broken_by and not self.reason


@dataclass
class Contract:
    """The promises of an exercise, and what is wrong with the quotes of them, a line each."""

    promises: list[Promise]
    problems: list[str]

    @property
    def counted(self) -> list[Promise]:
        return [promise for promise in self.promises if not promise.reason]


def contract(exercise: Exercise) -> Contract:
    """Every sentence of the stub's docstrings with what holds it."""
    stub = stubs.cut(exercise.solution_path.read_text(encoding="utf-8"))
    found = Contract(list(promises_in(stub)), [])
    for source, quotes in _quotes(exercise).items():
        if not quotes and source.endswith(".py"):
            found.problems.append(f'{source} says nowhere what it breaks: add # breaks: "words of the docstring"')
        for quote in quotes:
            if promise := _the_one(quote, found, source):
                promise.broken_by.append(source)
    for words, reason in reasons(exercise.root).get(exercise.number, {}).items():
        if promise := _the_one(words, found, "tests/promises.toml"):
            promise.reason = reason
            if promise.broken_by:
                found.problems.append(f"tests/promises.toml excuses what {promise.broken_by[0]} breaks: {words!r}")
    return found


def _the_one(quote: str, found: Contract, source: str) -> Promise | None:
    """The sentence that a quote stands in; where there is not exactly one, that is a problem."""
    words = _plain(quote)
    matching = [promise for promise in found.promises if words in str(promise)]
    exact = [promise for promise in matching if words in (promise.text, str(promise))]
    if len(exact or matching) == 1:
        return (exact or matching)[0]
    where = "in no sentence" if not matching else f"in {len(matching)} sentences"
    found.problems.append(f"{source} quotes what stands {where} of the docstrings: {quote!r}")
    return None


def _quotes(exercise: Exercise) -> Mapping[str, tuple[str, ...]]:
    """The quotes in the heads of the kept wrong answers and on the card, by who makes them."""
    folder = exercise.root / "tests" / "answers" / "wrong" / exercise.module / exercise.name
    quotes = {path.name: tuple(_head(path)) for path in sorted(folder.glob("*.py"))}
    return quotes | {mistake.id: mistake.breaks for mistake in exercise.card.mistakes}


def _head(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            return
        if quote := _QUOTE.match(line):
            yield quote[1]


def reasons(root: Path) -> dict[str, dict[str, str]]:
    """`tests/promises.toml`: by exercise, words of a sentence that promises nothing, and why."""
    path = root / "tests" / "promises.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def promises_in(source: str) -> Iterator[Promise]:
    """The sentences, list items and examples of every docstring of a file, in their order."""
    for owner, docstring in _docstrings(ast.parse(source), ""):
        for block in _blocks(docstring):
            if block.startswith(">>>"):
                yield Promise(owner, block)
            else:
                yield from (Promise(owner, sentence) for sentence in _SENTENCE_END.split(block))


def _docstrings(node: ast.AST, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        if text := ast.get_docstring(node):
            yield name, text
        for child in node.body:
            own = getattr(child, "name", "")
            yield from _docstrings(child, f"{name}.{own}" if name else own)


def _blocks(docstring: str) -> Iterator[str]:
    """Paragraphs, list items and the entries of a section, each on one line; headings alone are left out."""
    block: list[str] = []
    entry_indent = -1  # of the entries of the section that we are in
    number = 0  # of the last item of a numbered list
    for line in [*inspect.cleandoc(docstring).splitlines(), ""]:
        indent = len(line) - len(line.lstrip())
        text = line.strip()
        if text and indent <= entry_indent - 4:
            entry_indent = -1
        item = _ITEM.match(text)
        if item and item["number"]:  # "64. All arrays" within a paragraph is no item.
            follows = int(item["number"]) == number + 1 and (number or not block)
            item, number = (item, number + 1) if follows else (None, number)
        begins = not text or bool(item) or indent == entry_indent or bool(_HEADING.match(text))
        if begins and block:
            yield _plain(" ".join(block))
            block = []
        if _ENTRIES.match(text):
            entry_indent = indent + 4
        elif text and not (begins and _HEADING.match(text)):
            block.append(text[item.end() :] if item else text)


def _plain(text: str) -> str:
    return " ".join(text.split())
