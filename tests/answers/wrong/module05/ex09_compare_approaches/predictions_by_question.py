# names: predictions-by-question
# breaks: "Questions may be repeated."
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np


class Task(Protocol):
    warmup: str  # a question that is not in the test set

    def metric(self, prediction: str, answers: list[str]) -> float:
        """How good a prediction is, given all the right answers; higher is better."""


class Approach(NamedTuple):
    name: str
    setup: Callable[[], None]  # loads a model, builds an index or trains
    answer: Callable[[str], str]  # a question -> the prediction
    cost: Callable[[str, str], float]  # a question, its prediction -> what they cost, such as a number of tokens


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


def interval(values: list[float], seed: int, resamples: int = 2000) -> tuple[float, float]:
    draws = np.random.default_rng(seed).integers(0, len(values), (resamples, len(values)))
    means = np.asarray(values, dtype=float)[draws].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def draw_scores(rows: list[Row], path: str | Path) -> None:
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


def run(
    task: Task,
    approaches: list[Approach],
    test_set: list[dict],
    seed: int,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Table:
    if not approaches or not test_set:
        raise ValueError("no approach or no question")
    results = []
    for approach in approaches:
        approach.setup()
        approach.answer(task.warmup)
        scores, costs, times, predictions = [], [], [], {}
        for item in test_set:
            start = clock()
            prediction = approach.answer(item["question"])
            times.append(clock() - start)
            predictions[item["question"]] = prediction
        for item in test_set:
            prediction = predictions[item["question"]]
            scores.append(float(task.metric(prediction, item["answers"])))
            costs.append(float(approach.cost(item["question"], prediction)))
        low, high = interval(scores, seed)
        row = Row(
            approach.name, statistics.fmean(scores), low, high, statistics.fmean(costs), float(statistics.median(times))
        )
        results.append((row, scores))
    results.sort(key=lambda pair: pair[0].score, reverse=True)
    winner = None
    if len(results) > 1:
        first, second = results[0][1], results[1][1]
        low, _ = interval([x - y for x, y in zip(first, second)], seed)
        if low > 0:
            winner = results[0][0].name
    return Table([row for row, _ in results], winner)


def write_report(table: Table, out_dir: str | Path) -> None:
    out = Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    lines = ["| name | score | low | high | cost | seconds |", "|---|---|---|---|---|---|"]
    for row in table.rows:
        numbers = f"{row.score:.4f} | {row.low:.4f} | {row.high:.4f}"
        lines.append(f"| {row.name} | {numbers} | {row.cost_per_query:.4g} | {row.seconds_per_query:.4g} |")
    lines += ["", f"Winner: {'none' if table.winner is None else table.winner}", ""]
    (out / "report.md").write_text("\n".join(lines), encoding="utf-8")
    draw_scores(table.rows, out / "scores.png")


class DocsTask(NamedTuple):
    warmup: str = "Which function prints a text?"

    def metric(self, prediction: str, answers: list[str]) -> float:
        from tunelings.handson import pydocs

        return pydocs.grade(prediction, answers)


def main(quick: bool = False, folder: Path = Path("runs/comparison")) -> None:
    from rich.progress import Progress
    from transformers.utils import logging

    from tunelings.course import find_root
    from tunelings.handson import approaches, models, pydocs

    data = find_root() / "data" / "pydocs"
    try:
        paths = {"language_model": models.find("smollm2"), "encoder": models.find("minilm")}
    except FileNotFoundError as missing:
        raise SystemExit(str(missing)) from None
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    test = pydocs.load_test(data)[:: 4 if quick else 1]
    pairs = pydocs.without_answers(pydocs.load_pairs(data), pydocs.load_test(data))
    with Progress() as progress:
        bar = progress.add_task("", total=1.0)

        def on_step(what: str, share: float) -> None:
            progress.update(bar, description=what, completed=share)

        lineup = approaches.line_up(
            pydocs.load_passages(data), pydocs.load_development(data), pairs, on_step=on_step, **paths
        )
        chosen = [way for way in lineup if not quick or way.name in approaches.QUICK]
        watched = [approaches.watched(way, len(test), on_step) for way in chosen]
        table = run(
            DocsTask(),
            [Approach(way.name, way.setup, answer, way.cost) for way, answer in zip(chosen, watched, strict=True)],
            [{"question": q.question, "answers": q.answers} for q in test],
            seed=0,
        )
    write_report(table, folder)
    print((folder / "report.md").read_text(encoding="utf-8"))
    print(f"saved {folder / 'report.md'} and {folder / 'scores.png'}")


if __name__ == "__main__":
    import sys

    main(quick="--quick" in sys.argv)
