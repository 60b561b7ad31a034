"""Which answers are one program: those that differ only in comments on lines of their own.

Code keeps its lines and its text, so that what is said of one such answer is true, to the letter, of the other.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize

from tunelings.grading.stubs import SENTINEL

# A TODO may count, and an answer that reads files may read itself.
_MATTERS = (SENTINEL, "type:")
_READS = re.compile(r"\b(?:__file__|fromfile|inspect|jit|linecache|loadtxt|open\(|read_bytes|read_text)")
_AS_IT_IS = b"as it is\0"
_LARGEST = 100_000  # bytes that are worth parsing, here in the process that decides


def program(answer: bytes) -> bytes:
    """The answer with an empty line in the place of each comment line; marked, and as it is, where that isn't safe."""
    if len(answer) > _LARGEST:
        return _AS_IT_IS + answer
    try:
        text = answer.decode("utf-8")
        bare = _without_comments(text)
        is_same = _tree(bare) == _tree(text)
    except Exception:  # Whatever the tokenizers and parsers of several versions raise.
        is_same = False
    if not is_same or "coding" in "".join(text.splitlines()[:2]) or _READS.search(text):
        return _AS_IT_IS + answer
    return bare.encode()


def _without_comments(text: str) -> str:
    lines = list(io.StringIO(text, newline=""))
    for token in list(tokenize.generate_tokens(iter(lines).__next__)):
        row, column = token.start
        is_alone = token.type == tokenize.COMMENT and not lines[row - 1][:column].strip()
        if is_alone and not any(word in token.string for word in _MATTERS):
            lines[row - 1] = "\n"
    return "".join(lines).rstrip("\n")


def _tree(text: str) -> str:
    """Everything that is run, and the line and column of each part of it."""
    return ast.dump(ast.parse(text), include_attributes=True)
