"""Fit a text to where it is shown: to the characters that can be printed, and to the width."""

from __future__ import annotations

import textwrap

WIDTH = 100  # columns of a failure's text in pytest's report

_PLAIN = {
    "✓": "+", "✗": "x", "○": "o", "◐": "~", "█": "#", "░": ".",
    "·": "-", "…": "...", "×": "x", "→": "->", "–": "-", "’": "'",
}  # fmt: skip


def printable(text: str, encoding: str | None) -> str:
    """`text` in characters that this encoding has."""
    if _has(encoding, text):
        return text
    return "".join(c if _has(encoding, c) else _PLAIN.get(c, "?") for c in text)


def _has(encoding: str | None, text: str) -> bool:
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def fitted(text: str, width: int) -> str:
    """`text` with its long lines wrapped, each with its own indent."""
    return "\n".join(part for line in text.splitlines() for part in _wrapped(line, width))


def _wrapped(line: str, width: int) -> list[str]:
    bare = line.lstrip(" ")
    indent = " " * (len(line) - len(bare))
    hanging = indent + "  " * bare.startswith("- ")
    wrapped = textwrap.wrap(
        bare, max(width, 20), break_on_hyphens=False, initial_indent=indent, subsequent_indent=hanging
    )
    return wrapped or [""]


def cut(text: str, most: int = 84) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
