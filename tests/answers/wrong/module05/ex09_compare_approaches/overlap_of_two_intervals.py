# names: intervals-must-not-overlap
# breaks: "of the mean difference of their scores"
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
    if len(approaches) == 0 or len(test_set) == 0:
        raise ValueError("empty")
    rows = []
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
        low, high = bootstrap(scores, seed)
        rows.append(Row(a.name, float(np.mean(scores)), low, high, float(np.mean(costs)), float(np.median(times))))
    rows = sorted(rows, key=lambda r: r.score, reverse=True)
    # The intervals are there: if they do not overlap, the first is really better.
    winner = None
    if len(rows) > 1 and rows[0].low > rows[1].high:
        winner = rows[0].name
    return Table(rows, winner)


def write_report(table, out_dir):
    out = Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    lines = ["| name | score | low | high | cost | seconds |", "|---|---|---|---|---|---|"]
    lines += ["| " + " | ".join(str(value) for value in row) + " |" for row in table.rows]
    lines += ["", f"Winner: {table.winner or 'none'}"]
    (out / "report.md").write_text("\n".join(lines), encoding="utf-8")
    figure = Figure()
    axes = figure.subplots()
    for i, row in enumerate(table.rows):
        axes.errorbar([row.score], [i], xerr=[[row.score - row.low], [row.high - row.score]], fmt="o")
    figure.savefig(out / "scores.png", dpi=60)
