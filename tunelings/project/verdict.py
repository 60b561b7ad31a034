"""The sentence at the end: keep it, not better than a baseline, or too few examples to tell.

A baseline is beaten only if the whole paired interval lies above 0: nothing inside an interval is a winner.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from tunelings.project.config import Config
from tunelings.project.parts import Parts

FEWEST = 20  # test rows under which an interval from resampling says too much
# Normal quantiles: a difference is found at the level of 95% in 80% of all tests of this size.
LEVEL, POWER = 1.96, 0.84
MOST = 100_000  # more examples than this is no advice


def judge(
    config: Config, customized: Sequence[float], baselines: dict[str, Sequence[float]], parts: Parts
) -> dict[str, Any]:
    """Compare by 5.06, item by item, with each baseline.

    Returns:
        `sentence` for the learner, `keep` (True only if every baseline is beaten), and `against`: for each baseline
        the mean difference with its interval, and what it says ("better", "worse", "equal" or "open").
    """
    against = {}
    for name, scores in baselines.items():
        with parts.using("5.06") as part:
            found = part.paired_bootstrap(list(customized), list(scores), seed=config.compare.seed)
            mean, low, high = float(found.mean), float(found.low), float(found.high)
        against[name] = {"mean": mean, "low": low, "high": high, "says": says(len(customized), low, high, config)}
        against[name]["more"] = more(customized, scores, config.compare.margin)
    return {"sentence": sentence(against), "keep": all(row["says"] == "better" for row in against.values()),
            "against": against, "items": len(customized)}  # fmt: skip


def says(count: int, low: float, high: float, config: Config) -> str:
    if count < FEWEST:
        return "open"
    if low > 0:
        return "better"
    if high < 0:
        return "worse"
    return "equal" if high < config.compare.margin else "open"


def more(a: Sequence[float], b: Sequence[float], margin: float) -> int:
    """How many more test rows would settle it, if the difference is as here: away from 0, or below the margin."""
    differences = [x - y for x, y in zip(a, b, strict=True)]
    spread = statistics.stdev(differences) if len(differences) > 1 else 0.0
    mean = statistics.fmean(differences)
    effect = max(abs(mean), margin - mean)  # The nearer of the two ways in which an interval settles it.
    needed = max(FEWEST, math.ceil(((LEVEL + POWER) * spread / effect) ** 2))
    return min(MOST, max(0, needed - len(differences)))


def sentence(against: dict[str, dict[str, Any]]) -> str:
    """One sentence: the strongest thing that speaks against the model, or that nothing does."""
    worse = {name: row for name, row in against.items() if row["says"] == "worse"}
    equal = {name: row for name, row in against.items() if row["says"] == "equal"}
    unclear = {name: row for name, row in against.items() if row["says"] == "open"}
    if worse:
        name = min(worse, key=lambda one: worse[one]["mean"])
        return f"Not better than the {words(name)}: use that, it scores {-worse[name]['mean']:.3f} more."
    if equal:
        name = min(equal, key=lambda one: equal[one]["mean"])
        return f"Not better than the {words(name)}: the difference is {in_numbers(equal[name])}."
    if unclear:
        name = max(unclear, key=lambda one: unclear[one]["more"])
        rows = rounded(unclear[name]["more"])
        enough = f"about {rows:,} more test row{'s' * (rows != 1)} would be enough"
        count = enough if rows < MOST else "it would take more test rows than anyone could collect"
        return f"Too few examples to tell it from the {words(name)}: {count}."
    name = min(against, key=lambda one: against[one]["low"])
    return f"Keep it: it beats every baseline; the nearest is the {words(name)}, {in_numbers(against[name])}."


def words(name: str) -> str:
    return {"majority": "most common answer", "retrieval": "retrieval (a passage in the prompt)"}.get(name, name)


def in_numbers(row: dict[str, Any]) -> str:
    return f"{row['mean']:+.3f} (95% interval {row['low']:+.3f} to {row['high']:+.3f})"


def rounded(count: int) -> int:
    """Two significant digits, upwards."""
    if count < 10:
        return max(1, count)
    unit = 10 ** (len(str(count)) - 2)
    return math.ceil(count / unit) * unit
