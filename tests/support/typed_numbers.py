"""Finds the measured numbers that are typed in a page's source, where an expression should render them.

A number in the text is reported if a value of the page's result files, rounded to as many digits as were typed, is
that number, and if it is distinctive: that it has both by accident is unlikely.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from tunelings import lessons

# What is no running text. The order matters: code may hold anything, formulas hold braces.
NO_TEXT = re.compile(
    r"""
      ^(?P<fence>```+|~~~+).*?^(?P=fence)   # a code block
    | \{\{.*?\}\} | \{%.*?%\} | \{\#.*?\#\}   # jinja2
    | <!--.*?-->
    | (?P<tick>`+)(?!`)(?:(?!\n\n).)+?(?<!`)(?P=tick)(?!`)   # code in a line
    | \$\$.*?\$\$ | \$(?!\s)[^$\n]+(?<!\s)\$   # formulas
    | ^\#.*?$   # a heading
    | (?<=\])\([^)\n]*\)   # where a link leads
    | https?://\S+
    | <[a-zA-Z/][^>\n]*>
    | (?:\[|[Ee]xercises?\s|[Ll]essons?\s)\d\.\d\d\b   # the number of an exercise
    """,
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
NUMBER = re.compile(
    r"(?<![\w.,/^])(?P<digits>\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?P<exponent>e[-+]?\d+)?"
    r"(?P<unit>[  ]?(?:%|(?:percent|points?|million|billion|thousand|[kMG]i?B|ms|µs)\b))?(?![\w^])(?!\.\d)"
)
SMALL = re.compile(r"0\.00+[2-9]")
# From the unit of a result to the one typed; bytes, seconds and shares are what results hold, or the same unit.
UNITS = {
    "%": (100, 1), "percent": (100, 1), "point": (100, 1), "points": (100, 1),
    "thousand": (1e-3,), "million": (1e-6,), "billion": (1e-9,),
    "kB": (1e-3, 1), "MB": (1e-6, 1), "GB": (1e-9, 1),
    "KiB": (2**-10, 1), "MiB": (2**-20, 1), "GiB": (2**-30, 1),
    "ms": (1e3, 1), "µs": (1e6, 1),
}  # fmt: skip


@dataclass(frozen=True)
class Typed:
    """A number of a page that one of its results equals: its line, how it is typed, where the result is."""

    line: int
    text: str
    results: tuple[str, ...]

    def __str__(self) -> str:
        return f"line {self.line}: {self.text!r} is {' or '.join(self.results)}"


def typed_numbers(source: str, results: Mapping[str, float]) -> list[Typed]:
    """The measured numbers in a page's source; `results` has every value under the expression that shows it."""
    found = []
    text = NO_TEXT.sub(lambda match: "\n" * match[0].count("\n") or " ", source)
    for line, words in enumerate(text.splitlines(), start=1):
        for match in NUMBER.finditer(words):
            scales = scales_of(match, in_table=words.startswith("|"))
            paths = [path for path, value in results.items() if shows(match, value, scales)]
            if paths and distinctive(match):
                found.append(Typed(line, match[0], tuple(paths)))
    return found


def digits_of(match: re.Match) -> str:
    return re.sub(r"[^\d.]", "", match["digits"])


def distinctive(match: re.Match) -> bool:
    """Whether equality is hardly an accident: that of 171, 96%, 0.43, 1.8 and 0.006, not of 16, 3,000, 90%, 0.5, 2.0.

    That is three digits of an integer, two of a percentage, not counting zeros at its end; two of a decimal. Integers
    of two digits are left out: all of those that equal a rounded result of their page were found to be accidents.
    """
    digits = digits_of(match)
    if "." in digits:
        significant = len(digits.replace(".", "").lstrip("0"))
        return significant > 2 or (significant == 2 and digits[1:] != ".0") or bool(SMALL.fullmatch(digits))
    return len(digits.strip("0")) >= (2 if percent(match) else 3)


def percent(match: re.Match) -> bool:
    return 100 in UNITS.get((match["unit"] or "").strip(), ())


def scales_of(match: re.Match, in_table: bool) -> tuple[float, ...]:
    """What a value may have been multiplied by before it was typed."""
    if unit := (match["unit"] or "").strip():
        return UNITS[unit]
    percent_in_the_head = in_table and "." in match["digits"]
    return (1, 100) if percent_in_the_head else (1,)


def shows(match: re.Match, value: float, scales: Sequence[float]) -> bool:
    """Whether the value, in one of the scales and rounded to the digits that were typed, is the number.

    Signs are left out: the text may say "falls by".
    """
    typed = Decimal(digits_of(match) + (match["exponent"] or ""))
    half = 0.5 * 10.0 ** typed.as_tuple().exponent
    return any(abs(abs(value) * scale - float(typed)) <= half * (1 + 1e-6) for scale in scales)


def results_of(page: str, source: str, folder: Path) -> dict[str, float]:
    """Every number of the result files that belong to a page: its own, and those of scripts that its text names."""
    numbers = {}
    own = lessons.own_script(page)
    named = re.findall(r"figures/(\w+)\.py", source) + re.findall(r"""measured_by\(["'](\w+)["']\)""", source)
    for script in dict.fromkeys([own, *named]):
        if (path := folder / f"{script}.json").is_file():
            start = "measured" if script == own else f'measured_by("{script}")'
            numbers.update(leaves(lessons.load(path), start))
    return numbers


def leaves(value: object, path: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from leaves(one, f"{path}.{key}" if key.isidentifier() else f'{path}["{key}"]')
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from leaves(one, f"{path}[{index}]")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, value
