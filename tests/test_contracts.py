"""A docstring becomes a box whose lines wrap to the reader's width, and none of its words is lost."""

from __future__ import annotations

import ast
import html
import re

from tunelings import contracts
from tunelings.course import Exercise

LONG = "word " * 18  # 89 columns: the next word of five letters did not fit
DOCSTRING = f"""{LONG}first
goes on here. A `code < 1` and **bold** at https://example.org/a_b.

Below a sentence:

    p <- p - lr * g
    table     of two

Args:
    x: {LONG}x.
        y: no entry of its own? It is.
    `a`, b: both.

- {LONG}item
  its rest.
- another

{LONG}of what
kept: it goes on.
"""


def test_what_was_broken_for_want_of_room_is_one_line_again():
    lines = [(line.indent, line.text) for line in contracts.unwrapped(DOCSTRING)]
    assert lines[0] == (0, f"{LONG}first goes on here. A `code < 1` and **bold** at https://example.org/a_b.")
    assert [text for _, text in lines[1:5]] == ["Below a sentence:", "p <- p - lr * g", "table     of two", "Args:"]
    assert lines[5:8] == [(4, f"x: {LONG}x."), (8, "y: no entry of its own? It is."), (4, "`a`, b: both.")]
    assert lines[8:10] == [(0, f"- {LONG}item its rest."), (0, "- another")]
    assert lines[10:] == [(0, f"{LONG}of what kept: it goes on.")]


def test_a_sentence_that_was_broken_early_is_one_paragraph_and_two_lines_of_code_stay_two():
    text = contracts.docstring_html(
        "Of those\nthat tie, the first.\n\nBy:\n\n    v <- v + g\n    p <- p - v\n\nEnds.\nlr: a rate"
    )
    assert "Of those that tie, the first.</p>" in text
    assert "v &lt;- v + g\np &lt;- p - v</pre>" in text and "Ends.</p><p" in text


def test_code_emphasiz_and_links_are_marked_and_the_rest_is_escaped():
    text = contracts.docstring_html(DOCSTRING)
    assert "<code>code &lt; 1</code> and <strong>bold</strong>" in text
    assert '<a href="https://example.org/a_b">https://example.org/a_b</a>.</p>' in text
    assert '<pre tabindex="0">p &lt;- p - lr * g\ntable     of two</pre>' in text
    assert '<p class="indent-0"><strong>Args:</strong></p><p class="indent-1 hanging">x: ' in text


SOURCE = '''
class Kept(NamedTuple):
    """Two things."""

    a: int
    b: str = ""

    def both(
        self,
        x: int = 1,
    ) -> str:
        """Return both."""
        found: str = self.b

    def _hidden(self):
        """Not shown."""
'''


def test_a_class_is_shown_with_its_fields_and_the_contracts_of_its_methods():
    text = contracts.contract_html(SOURCE)
    assert "```python\nclass Kept(NamedTuple):\n    a: int\n    b: str = ''\n```" in text
    assert "```python\ndef both(\n    self,\n    x: int = 1,\n) -> str:\n```" in text
    assert "Return both." in text and "Not shown" not in text


def test_no_word_of_a_contract_is_lost(exercise: Exercise):
    source = exercise.solution_path.read_text(encoding="utf-8")
    shown = words_of(html.unescape(re.sub(r"<[^>]+>", " ", contracts.contract_html(source))))
    for node in ast.parse(source).body:
        public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith(("_", "main"))
        if docstring := ast.get_docstring(node) if public else None:
            assert words_of(docstring) in shown, node.name


def words_of(text: str) -> str:
    """Its words, without marks and without the spaces between them."""
    return re.sub(r"[\s`]|\*\*", "", text)
