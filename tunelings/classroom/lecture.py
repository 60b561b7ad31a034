"""What to say in the next lecture: the few sentences at the top of the report."""

from __future__ import annotations

from typing import Any

from tunelings.grading.states import CheckState

MISTAKES, UNKNOWN = 3, 2  # at most so many of each
OFTEN = 0.05  # of those who began; a rarer mistake is no matter for the whole class
HARD, FEW = 0.5, 0.5


def lecture(figures: dict[str, Any]) -> list[dict[str, str]]:
    """What stands out, the most useful first: {"kind", "exercise", "text"} each; hidden figures say nothing."""
    items = figures["items"]
    open_ones = sum(row["outcome"] == "no verdict" for row in figures["to_look_at"])
    said = [*_mistakes(items), *_unknown(items), *_hard(items), *_suspect(items), *_few(items)]
    if open_ones:
        text = f"{_answers(open_ones)} no verdict yet: run the same command again before you publish marks."
        said.insert(0, {"kind": "open", "exercise": "", "text": text})
    return said


def _mistakes(items: list[dict[str, Any]]) -> list[dict[str, str]]:
    found = [
        (mistake["count"], item, mistake)
        for item in items
        for mistake in item["mistakes"]
        if mistake["count"] and item["started"] and mistake["count"] >= OFTEN * item["started"]
    ]
    found.sort(key=lambda one: (-one[0], one[1]["exercise"]))
    return [
        _say("mistake", item, f"{count} of {item['started']} answers match this mistake: {mistake['says']}")
        for count, item, mistake in found[:MISTAKES]
    ]


def _unknown(items: list[dict[str, Any]]) -> list[dict[str, str]]:
    found = [
        (cluster["count"], item, cluster)
        for item in items
        for cluster in item["clusters"]
        if cluster["count"] and cluster["count"] > 1
    ]
    found.sort(key=lambda one: (-one[0], one[1]["exercise"]))
    return [
        _say("unknown", item, f"{count} {_how(cluster)}: {_of(cluster)}.") for count, item, cluster in found[:UNKNOWN]
    ]


def _how(cluster: dict[str, Any]) -> str:
    if cluster["state"] == CheckState.BROKEN:
        return "don't load, for the same reason"
    return "fail in the same way, and no known mistake explains it"


def _of(cluster: dict[str, Any]) -> str:
    if cluster["state"] == CheckState.BROKEN:
        return " ".join(cluster["message"].split()) or "an error on import"
    return cluster["what"] or cluster["message"] or cluster["sentence"] or cluster["state"] or "no verdict says why"


def _hard(items: list[dict[str, Any]]) -> list[dict[str, str]]:
    known = [item for item in items if item["share"] is not None and item["share"] < HARD and not item["suspect"]]
    if not known:
        return []
    item = min(known, key=lambda one: one["share"])
    text = f"The hardest: {item['passed']} of the {item['started']} who began it pass ({item['share']:.0%})."
    return [_say("hard", item, text)]


def _suspect(items: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [
        _say("suspect", item, "Those who pass it do hardly better elsewhere than those who don't "
             f"(r = {item['discrimination']:.2f}): suspect the check before the class.")
        for item in items
        if item["suspect"]
    ]  # fmt: skip


def _few(items: list[dict[str, Any]]) -> list[dict[str, str]]:
    known = [item for item in items if item["started"] is not None and item["started"] < FEW * item["students"]]
    if not known:
        return []
    item = min(known, key=lambda one: one["started"])
    return [_say("few", item, f"Only {item['started']} of {item['students']} have begun it.")]


def _say(kind: str, item: dict[str, Any], text: str) -> dict[str, str]:
    return {"kind": kind, "exercise": f"{item['exercise']} {item['title']}".strip(), "text": text}


def _answers(count: int) -> str:
    return "1 answer has" if count == 1 else f"{count:,} answers have"
