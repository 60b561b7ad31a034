"""The figures that may be shared: no count that fewer than `LEAST` students stand behind, and no text of an answer.

A count that is hidden must not follow from those that are shown: the groups of an exercise add up to the class, so
where the hidden ones together are fewer than `LEAST`, the next smallest is hidden too (complementary suppression;
https://www.ons.gov.uk/methodology/methodologytopicsandstatisticalconcepts/disclosurecontrol).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunelings.classroom.lecture import lecture
from tunelings.grading.states import CheckState

LEAST = 5


def shared(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The same figures with small counts as None, without students, flags, answers, and what answers made."""
    items = [_item(item) for item in figures["items"]]
    made = {
        **figures,
        "hidden_below": LEAST,
        "items": sorted(items, key=lambda item: item["exercise"]),  # By unknown failures the order would tell.
        "scores": merged(figures["scores"], sum(item["passed"] for item in figures["items"])),
        "to_look_at": [],
        "flags": [],
    }
    return {**made, "lecture": lecture(made)}


def hidden(counts: Mapping[str, int]) -> set[str]:
    """The names of the counts to hide, of counts whose sum is known."""
    gone = {name for name, count in counts.items() if 0 < count < LEAST}
    others = sorted((name for name, count in counts.items() if count >= LEAST), key=lambda name: counts[name])
    while gone and sum(counts[name] for name in gone) < LEAST and others:
        gone.add(others.pop(0))
    return gone


def merged(scores: Sequence[Mapping[str, int]], passes: int) -> list[dict[str, int]]:
    """The histogram with bars so wide that none stands for a few students; none at all where that can't be had.

    Readers know how many passes there are, from the table of exercises. So the bars must leave room for more than one
    way of having so many: at least two scores more than bars, and as many passes as `LEAST` above the fewest, and
    below the most, that the bars allow.
    """
    for width in range(1, len(scores)):
        bars = [scores[at : at + width] for at in range(0, len(scores), width)]
        wide = [
            {"from": bar[0]["from"], "to": bar[-1]["to"], "count": sum(one["count"] for one in bar)} for bar in bars
        ]
        seen = [bar for bar in wide if bar["count"]]
        spare = sum(bar["to"] - bar["from"] for bar in seen)
        fewest, most = (sum(bar[end] * bar["count"] for bar in seen) for end in ("from", "to"))
        has_room = spare >= 2 and fewest + LEAST <= passes <= most - LEAST
        if all(bar["count"] >= LEAST for bar in seen) and (spare == 0 or has_room):
            return wide
    return []


def _item(item: dict[str, Any]) -> dict[str, Any]:
    """Two levels: the groups add up to the class, and the mistakes (or the clusters) to their group."""
    gone = hidden(item["groups"])
    mistakes = _parts(item["mistakes"], "named mistake" in gone)
    unloaded = [one for one in item["clusters"] if one["state"] == CheckState.BROKEN]
    unknown = [one for one in item["clusters"] if one["state"] != CheckState.BROKEN]
    clusters = [*_parts(unknown, "unknown failure" in gone), *_parts(unloaded, "broken" in gone)]
    started = None if gone & {"not started", "not graded"} else item["started"]
    passed = None if "passed" in gone else item["passed"]
    is_known = started is not None and passed is not None and started >= LEAST
    return {
        **item,
        "started": started,
        "passed": passed,
        **({} if is_known else {"share": None, "discrimination": None, "interval": None, "suspect": False}),
        "why": item["why"] if is_known else "hidden",
        "seconds": item["seconds"] if is_known else None,
        "timeouts": None if "timeout" in gone else item["timeouts"],
        "named": None if "named mistake" in gone else item["named"],
        "unknown": None if "unknown failure" in gone else item["unknown"],
        "groups": {name: None if name in gone else size for name, size in item["groups"].items()},
        "mistakes": mistakes,
        "clusters": [_cluster(one) for one in clusters],
    }


def _parts(parts: list[dict[str, Any]], none: bool) -> list[dict[str, Any]]:
    """The parts of a group whose size is shown that may be shown too."""
    gone = hidden({one["id"]: one["count"] for one in parts})
    return [] if none else [one for one in parts if one["id"] not in gone]


def _cluster(cluster: dict[str, Any]) -> dict[str, Any]:
    """The words of the check alone; what came out, and who had it, stays at home."""
    kept = ("id", "count", "check", "sentence", "state", "what")
    return {**{name: cluster[name] for name in kept}, "given": "", "expected": "", "got": "", "message": "",
            "students": [], "answer_hash": ""}  # fmt: skip
