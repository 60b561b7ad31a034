# names: kept-between-0-and-1
# breaks: "the metric of each prediction with all answers of its question"
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.figure import Figure


class Approach(NamedTuple):
    name: str
    setup: Any
    answer: Any
    cost: Any


@dataclass
class Row:
    name: str
    score: float
    low: float
    high: float
    cost_per_query: float
    seconds_per_query: float


@dataclass
class Table:
    rows: list
    winner: str | None


def mean(values):
    return sum(values) / len(values)


def median(values):
    values = sorted(values)
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def bounds(values, seed, times=2000):
    rng = random.Random(seed)
    means = sorted(mean(rng.choices(values, k=len(values))) for _ in range(times))
    return means[int(0.025 * times)], means[int(0.975 * times) - 1]


def examine(approach, task, test_set, clock):
    """What one approach scored, cost and took, question by question."""
    approach.setup()
    approach.answer(task.warmup)
    seen = []
    for item in test_set:
        t0 = clock()
        text = approach.answer(item["question"])
        t1 = clock()
        seen.append(
            (min(max(task.metric(text, item["answers"]), 0.0), 1.0), approach.cost(item["question"], text), t1 - t0)
        )
    return [list(column) for column in zip(*seen, strict=True)]


def run(task, approaches, test_set, seed, *, clock=time.perf_counter):
    if not test_set:
        raise ValueError("the test set is empty")
    if not approaches:
        raise ValueError("there are no approaches")
    found = [examine(approach, task, test_set, clock) for approach in approaches]
    rank = sorted(range(len(found)), key=lambda i: (-mean(found[i][0]), i))
    rows = []
    for i in rank:
        scores, costs, seconds = found[i]
        low, high = bounds(scores, seed)
        rows.append(Row(approaches[i].name, float(mean(scores)), float(low), float(high), mean(costs), median(seconds)))
    if len(rank) < 2:
        return Table(rows, None)
    best, next_best = found[rank[0]][0], found[rank[1]][0]
    low, _ = bounds([x - y for x, y in zip(best, next_best, strict=True)], seed + 1)
    return Table(rows, rows[0].name if low > 0 else None)


def write_report(table, out_dir):
    Path(out_dir).mkdir(parents=True, exist_ok=True)
    winner = "none" if table.winner is None else table.winner
    with Path(out_dir, "report.md").open("w", encoding="utf-8") as file:
        print(f"Winner: {winner}\n", file=file)
        print("| seconds | cost | low | score | high | name |", "|---|---|---|---|---|---|", sep="\n", file=file)
        for row in table.rows:
            cells = [row.seconds_per_query, row.cost_per_query, row.low, row.score, row.high, row.name]
            print("|", " | ".join(str(cell) for cell in cells), "|", file=file)
    figure = Figure()
    axes = figure.add_subplot()
    for place, row in enumerate(table.rows):
        axes.plot([place, place], [row.low, row.high], color="black")
        axes.plot(place, row.score, "o")
    axes.set_xticks(range(len(table.rows)), labels=[row.name for row in table.rows])
    figure.savefig(Path(out_dir, "scores.png"), dpi=60)
