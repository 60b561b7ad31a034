# names: questions-stripped
# breaks: "It is given only the question"
import time
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np


class Approach(NamedTuple):
    name: str
    setup: object
    answer: object
    cost: object


class Row(NamedTuple):
    name: str
    score: float
    low: float
    high: float
    cost_per_query: float
    seconds_per_query: float


class Table(NamedTuple):
    rows: list
    winner: str | None


def run(task, approaches, test_set, seed, *, clock=time.perf_counter):
    n, k = len(test_set), len(approaches)
    if n == 0 or k == 0:
        raise ValueError("nothing to compare")
    for a in approaches:
        a.setup()
    for a in approaches:
        a.answer(task.warmup)
    score, cost, duration = np.zeros((k, n)), np.zeros((k, n)), np.zeros((k, n))
    for j in range(n):
        for i in range(k):
            question = test_set[j]["question"].strip()
            before = clock()
            prediction = approaches[i].answer(question)
            after = clock()
            duration[i, j] = after - before
            score[i, j] = task.metric(prediction, test_set[j]["answers"])
            cost[i, j] = approaches[i].cost(question, prediction)
    draws = np.random.Generator(np.random.PCG64(seed)).integers(n, size=(4000, n))
    resampled = np.stack([row[draws].mean(axis=1) for row in score])  # [k, 4000]: all see the same draws.
    low, high = np.percentile(resampled, [2.5, 97.5], axis=1)
    order = np.argsort(-score.mean(axis=1), kind="stable")
    rows = [
        Row(
            approaches[i].name,
            float(score[i].mean()),
            float(low[i]),
            float(high[i]),
            float(cost[i].mean()),
            float(np.median(duration[i])),
        )
        for i in order
    ]
    if k == 1:
        return Table(rows, None)
    gap = resampled[order[0]] - resampled[order[1]]
    return Table(rows, rows[0].name if np.percentile(gap, 2.5) > 1e-12 else None)


def write_report(table, out_dir):
    out = Path(out_dir)
    out.mkdir(exist_ok=True, parents=True)
    text = "# Comparison\n\n| approach | score (95 %) | cost | seconds |\n|:--|--:|--:|--:|\n"
    for r in table.rows:
        score = f"{r.score:.1%} ({r.low:.1%} to {r.high:.1%})"
        text += f"| **{r.name}** | {score} | {r.cost_per_query:,.4g} | {r.seconds_per_query:.3e} |\n"
    text += "\nWinner: **" + (table.winner if table.winner is not None else "none") + "**\n"
    with open(out / "report.md", "w", encoding="utf-8") as file:
        file.write(text)
    fig, ax = plt.subplots(figsize=(5, 3))
    names = [r.name for r in table.rows]
    low = [r.score - r.low for r in table.rows]
    high = [r.high - r.score for r in table.rows]
    ax.barh(names, [r.score for r in table.rows], xerr=[low, high])
    fig.savefig(out / "scores.png")
    plt.close(fig)
