"""Texts that comfortable examples leave out, and the borders of numbers."""

from __future__ import annotations

BLANKS_AT_BOTH_ENDS = "  a word on each side \n"
CASE = ("Straße", "STRASSE", "İstanbul", "ℍello", "ΣΊΣΥΦΟΣ")  # `lower()`, `casefold()` and NFKC part here.
LINE_SEPARATORS = (
    "one\u2028two\u0085three\x0cfour"  # `splitlines()` takes each for the end of a line; JSON Lines does not.
)
BLANK_LINE = "first\n\nthird"
QUOTED_END = "It is <|im_end|> that ends a turn."
UNPRINTABLE = "bell\x07 escape\x1b[31m nul\x00"
SIGNS = "naïve – “quoted” … 👩‍🔬 ﷽"
COMPOSED = "caf\u00e9 and cafe\u0301"  # Two spellings of one word, which NFC makes equal.
INVISIBLE = "zero\u200bwidth, soft\u00adhyphen"
TABS = "\tif x:\r\n\t\treturn  x"
ENTITIES = "a &lt; b &amp; <i>c</i>"
EMPTY = ""
BLANK = " \t\n"

NOT_BLANK = (
    *(BLANKS_AT_BOTH_ENDS, *CASE, LINE_SEPARATORS, BLANK_LINE, QUOTED_END, UNPRINTABLE, SIGNS, COMPOSED, INVISIBLE),
    *(TABS, ENTITIES),
)
AWKWARD = (*NOT_BLANK, EMPTY, BLANK)


def long_text(words: int = 700, last: str = "end") -> str:
    """A text of so many words, more than 512 tokens and 1,000 characters, that differs from others in its last one."""
    return " ".join(f"word{i % 97}" for i in range(words - 1)) + f" {last}"


HUGE, TINY = 1e25, 1e-25  # In float32 their squares are inf and 0.
