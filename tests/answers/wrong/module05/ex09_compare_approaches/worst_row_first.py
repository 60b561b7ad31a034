# names: rows-reversed
# breaks: "one line for each row of the table, in the same order"
# The worst row comes first in the report.
import statistics
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure


class Approach(NamedTuple):
    name: str
    setup: Any
    answer: Any
    cost: Any


class Row(NamedTuple):
    name: str
    score: float
    low: float
    high: float
    cost_per_query: float
    seconds_per_query: float


class Table(NamedTuple):
    rows: list[Row]
    winner: str | None


def bootstrap(values, seed):
    rng = np.random.default_rng(seed)
    means = [rng.choice(values, len(values)).mean() for _ in range(2000)]
    return float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))


def run(task, approaches, test_set, seed, *, clock=time.perf_counter):
    if not approaches or not test_set:
        raise ValueError("empty")
    results = []
    for a in approaches:
        a.setup()
        a.answer(task.warmup)
        scores, costs, times = [], [], []
        for item in test_set:
            t = clock()
            p = a.answer(item["question"])
            times.append(clock() - t)
            scores.append(task.metric(p, item["answers"]))
            costs.append(a.cost(item["question"], p))

        row = Row(
            a.name,
            statistics.fmean(scores),
            *bootstrap(scores, seed),
            statistics.fmean(costs),
            statistics.median(times),
        )
        results.append((row, scores))
    results.sort(key=lambda r: r[0].score, reverse=True)
    winner = None
    if len(results) > 1:
        gap = np.array(results[0][1]) - np.array(results[1][1])
        winner = results[0][0].name if bootstrap(gap, seed)[0] > 0 else None
    return Table([r[0] for r in results], winner)


def write_report(table, out_dir):
    out = Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    lines = ["| name | score | low | high | cost | seconds |", "|---|---|---|---|---|---|"]
    for row in reversed(table.rows):
        lines.append("| " + " | ".join(f"{value}" for value in row) + " |")
    lines += ["", f"Winner: {table.winner or 'none'}"]
    (out / "report.md").write_text("\n".join(lines), encoding="utf-8")
    figure = Figure()
    axes = figure.subplots()
    for i, row in enumerate(table.rows):
        axes.plot([row.low, row.high], [i, i])
        axes.plot([row.score], [i], "o")
    figure.savefig(out / "scores.png", dpi=60)
