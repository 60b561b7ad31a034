# names: more-than-the-question
# breaks: "It is given only the question, a str, and never the answers."
# Where an item has a context, it stands before the question.

"""5.09 · Compare approaches: prompt, search, fine-tune or train from scratch, on the same questions, with intervals.

`python exercises/module05/ex09_compare_approaches.py` compares nine real approaches on questions about the Python
documentation and saves the report in runs/comparison/. It takes half an hour or more on a CPU, with `--quick` minutes.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np


class Task(Protocol):
    """What the approaches are compared on."""

    warmup: str  # a question that is not in the test set

    def metric(self, prediction: str, answers: list[str]) -> float:
        """How good a prediction is, given all answers that are right; higher is better."""


class Approach(NamedTuple):
    """One way to answer questions."""

    name: str
    setup: Callable[[], None]  # loads a model, builds an index or trains
    answer: Callable[[str], str]  # a question -> the prediction
    cost: Callable[[str, str], float]  # a question, its prediction -> what they cost, such as a number of tokens


class Row(NamedTuple):
    """What came out for one approach."""

    name: str
    score: float
    low: float
    high: float
    cost_per_query: float
    seconds_per_query: float


class Table(NamedTuple):
    rows: list[Row]
    winner: str | None


def interval(values: list[float], seed: int, resamples: int = 2000) -> tuple[float, float]:
    """Given (you wrote one in 5.06): the 95 % percentile bootstrap interval of the mean of `values`."""
    draws = np.random.default_rng(seed).integers(0, len(values), (resamples, len(values)))
    means = np.asarray(values, dtype=float)[draws].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def draw_scores(rows: list[Row], path: str | Path) -> None:
    """Given: draw the score of each row with its interval, the first row on top, and save the picture."""
    from matplotlib.figure import Figure

    scores = [row.score for row in rows]
    distances = [[row.score - row.low for row in rows], [row.high - row.score for row in rows]]
    figure = Figure(figsize=(7, 1 + 0.4 * len(rows)), layout="constrained")
    axes = figure.subplots()
    axes.errorbar(scores, range(len(rows)), xerr=distances, fmt="o", capsize=3)
    axes.set_yticks(range(len(rows)), labels=[row.name for row in rows])
    axes.invert_yaxis()
    axes.set_xlabel("score, 95% interval")
    figure.savefig(path)


def run(task, approaches, test_set, seed, *, clock=time.perf_counter):
    if len(approaches) == 0 or len(test_set) == 0:
        raise ValueError("nothing to compare")
    table = []
    for way in approaches:
        way.setup()
        way.answer(task.warmup)
        marks, costs, times = [], [], []
        for item in test_set:
            before = clock()
            said = way.answer("\n".join(filter(None, [item.get("context"), item["question"]])))
            after = clock()
            marks.append(float(task.metric(said, item["answers"])))
            costs.append(float(way.cost(item["question"], said)))
            times.append(after - before)
        low, high = interval(marks, seed)
        times.sort()
        n = len(times)
        middle = (times[(n - 1) // 2] + times[n // 2]) / 2
        table.append((Row(way.name, sum(marks) / n, low, high, sum(costs) / n, float(middle)), marks))
    table = sorted(table, key=lambda pair: pair[0].score, reverse=True)
    winner = None
    if len(table) >= 2:
        difference = [x - y for x, y in zip(table[0][1], table[1][1])]
        if interval(difference, seed)[0] > 0:
            winner = table[0][0].name
    return Table([row for row, _ in table], winner)


def write_report(table, out_dir):
    out = Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    text = (
        "# Comparison\n\n| name | score | low | high | cost | seconds |\n| --- | ---: | ---: | ---: | ---: | ---: |\n"
    )
    for row in table.rows:
        text += "| " + " | ".join([row.name, *(f"{value:.6g}" for value in row[1:])]) + " |\n"
    text += "\nWinner: " + ("none" if table.winner is None else table.winner) + "\n"
    with open(out / "report.md", "w", encoding="utf-8") as file:
        file.write(text)
    draw_scores(list(table.rows), out / "scores.png")


class DocsTask(NamedTuple):
    warmup: str = "Which function prints a text?"

    def metric(self, prediction, answers):
        from tunelings.handson import pydocs

        return pydocs.grade(prediction, answers)
