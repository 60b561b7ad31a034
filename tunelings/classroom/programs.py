"""Which answers are one program: those that differ only in comments on lines of their own.

Code keeps its lines and its text, so that what is said of one such answer is true, to the letter, of the other.
"""

from __future__ import annotations

import io
import tokenize

from tunelings.grading.stubs import SENTINEL

_KEPT = (SENTINEL, "coding")  # A TODO may count, and `# coding: …` decides how the file is read.


def program(answer: bytes) -> bytes:
    """The answer with an empty line in the place of each comment line; itself where it isn't Python in UTF-8."""
    try:
        text = answer.decode("utf-8")
        lines = list(io.StringIO(text, newline=""))
        comments = [one for one in tokenize.generate_tokens(iter(lines).__next__) if one.type == tokenize.COMMENT]
    except (UnicodeDecodeError, tokenize.TokenError, SyntaxError):
        return answer
    for row, column, words in ((*one.start, one.string) for one in comments):
        if not lines[row - 1][:column].strip() and not any(word in words for word in _KEPT):
            lines[row - 1] = "\n"
    return "".join(lines).rstrip("\n").encode()
