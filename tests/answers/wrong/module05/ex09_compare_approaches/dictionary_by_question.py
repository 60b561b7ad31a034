# names: repeated-questions-dropped
# breaks: "Questions may be repeated"
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
    """Paired by question text: a dictionary of grades for each approach."""
    if not approaches or not test_set:
        raise ValueError("empty")
    grades, rows = {}, []
    for a in approaches:
        a.setup()
        a.answer(task.warmup)
        seconds, costs, grades[a.name] = {}, {}, {}
        for question, answers in {item["question"]: item["answers"] for item in test_set}.items():
            t = clock()
            p = a.answer(question)
            seconds[question] = clock() - t
            grades[a.name][question] = task.metric(p, answers)
            costs[question] = a.cost(question, p)
        values = list(grades[a.name].values())
        rows.append(
            Row(
                a.name,
                statistics.fmean(values),
                *bootstrap(values, seed),
                statistics.fmean(costs.values()),
                statistics.median(seconds.values()),
            )
        )
    rows.sort(key=lambda r: r.score, reverse=True)
    winner = None
    if len(rows) > 1:
        first, second = grades[rows[0].name], grades[rows[1].name]
        if bootstrap([first[q] - second[q] for q in first], seed)[0] > 0:
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
