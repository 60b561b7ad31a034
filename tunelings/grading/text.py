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


def visible(text: str) -> str:
    r"""`text` with every character that moves, hides or turns what stands on a screen written out, such as \x1b.

    Those are the controls (ESC, CR, BEL, a line's end), what changes the direction of writing, other line ends such
    as U+2028, spaces that look like a space, and what has no character at all.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def printed(text: str, *, lines: int = 20, width: int = WIDTH) -> str:
    """What an answer has printed, in lines that are safe to show: of many the first and the last, none too long."""
    shown = [cut(visible(line.rstrip("\r")), width) for line in text.rstrip("\n").split("\n")]
    if len(shown) <= lines:
        return "\n".join(shown)
    half = lines // 2
    return "\n".join([*shown[:half], f"… {len(shown) - 2 * half:,} more lines …", *shown[-half:]])


def fitted(text: str, width: int) -> str:
    """`text` with its long lines wrapped, each with its own indent."""
    return "\n".join(part for line in text.split("\n") for part in _wrapped(line, width))


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
