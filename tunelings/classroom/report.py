"""report.html: the figures of a class as one page that asks for nothing from outside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

HERE = Path(__file__).parent
# The groups of a bar, in this order; what isn't named here belongs to "other".
BAR = ("passed", "named mistake", "unknown failure", "other", "not started", "not graded")


def page(figures: Mapping[str, Any], answers: Mapping[str, str], out: str) -> str:
    """The page; `out` is the folder of the results as it is to be typed, and `answers` has texts by their hash."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"count": count, "percent": percent, "two": two}
    bars = [bar(item) for item in figures["items"]]
    return environment.get_template("report.html.jinja").render(
        figures=figures, answers=answers, out=out, bars=bars, groups=BAR, scores=scores(figures), dots=dots(figures)
    )


def count(value: int | None) -> str:
    return "few" if value is None else f"{value:,}"


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def two(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


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
    """Each exercise that has both: its share across 320, its discrimination from -0.2 to 1 up 180."""
    return [
        {"exercise": item["exercise"], "suspect": item["suspect"], "x": 320 * item["share"], "y": height(r)}
        for item in figures["items"]
        if (r := item["discrimination"]) is not None
    ]


def height(r: float) -> float:
    return 180 * (1 - max(r, -0.2)) / 1.2
