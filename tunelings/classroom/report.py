"""report.html: the figures of a class as one page that asks for nothing from outside."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from tunelings.grading.text import visible

HERE = Path(__file__).parent
# The groups of a bar, in this order; what isn't named here belongs to "other".
BAR = ("passed", "named mistake", "unknown failure", "other", "not started", "not graded")
LOWEST = -0.1  # of r in the drawing; what is lower stands at its edge


def page(figures: Mapping[str, Any], answers: Mapping[str, str], out: str) -> str:
    """The page; `out` is the folder of the results as it is to be typed, and `answers` has texts by their hash."""
    bars = [bar(item) for item in figures["items"]]
    answers = {name: "\n".join(visible(line) for line in text.split("\n")) for name, text in answers.items()}
    return _template().render(
        figures=figures, answers=answers, out=out, bars=bars, groups=BAR, scores=scores(figures), dots=dots(figures)
    )


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"count": count, "many": many, "percent": percent, "two": two, "code": code}
    return environment.get_template("report.html.jinja")


def count(value: int | None) -> str:
    return "hidden" if value is None else f"{value:,}"


def many(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f}%"


def two(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def code(text: str) -> Markup:
    """A text whose `code` stands between backticks, as HTML."""
    parts = re.split(r"`([^`]+)`", text)
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else p for i, p in enumerate(parts))


# ---------------------------------------------------------------- plots: places on their drawings, in its units
def bar(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parts of one exercise's bar, 100 wide; a hidden group is left out, so that the bar shows a gap."""
    groups = {**item["groups"], "named mistake": item["named"] or 0, "unknown failure": item["unknown"] or 0}
    sizes = dict.fromkeys(BAR, 0)
    for name, size in groups.items():
        sizes[name if name in sizes else "other"] += size or 0
    parts, at = [], 0.0
    for name in BAR:
        width = 100 * sizes[name] / max(item["students"], 1)
        if width:
            parts.append({"name": name, "count": sizes[name], "x": at, "width": width})
        at += width
    return parts


def scores(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The bars of the histogram on a drawing of 320 × 120."""
    most = max([one["count"] or 0 for one in figures["scores"]], default=0) or 1
    width = 320 / max(len(figures["scores"]), 1)
    return [
        {**one, "x": place * width + 1, "width": width - 2, "height": 100 * (one["count"] or 0) / most}
        for place, one in enumerate(figures["scores"])
    ]


def dots(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each exercise that has both: its share across 640, its discrimination from 0 to 1 up 200.

    The names stand above and below by turns, from left to right, so that neighbors can be read.
    """
    known = [item for item in figures["items"] if item["discrimination"] is not None]
    known.sort(key=lambda item: (item["share"], item["exercise"]))
    return [
        {
            "exercise": item["exercise"],
            "suspect": item["suspect"],
            "x": 640 * item["share"],
            "y": 200 * (1 - max(item["discrimination"], LOWEST)),
            "label": 16 if place % 2 else -8,
        }
        for place, item in enumerate(known)
    ]
