"""5.09 · Compare approaches: prompt, search, fine-tune or train from scratch, on the same questions, with intervals.

`python exercises/module05/ex09_compare_approaches.py` compares nine real approaches on questions about the Python
documentation and saves the report in runs/comparison/. It takes half an hour or more on a CPU, or minutes with
`--quick`.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np


class Task(Protocol):
    """What the approaches are compared on."""

    warmup: str  # a question that is not in the test set

    def metric(self, prediction: str, answers: list[str]) -> float:
        """How good a prediction is, given all the right answers; higher is better."""


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
    """Given (you wrote one in 5.06): the 95% percentile bootstrap interval of the mean of `values`."""
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


def run(
    task: Task,
    approaches: list[Approach],
    test_set: list[dict],
    seed: int,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Table:
    """Ask every approach every question of the test set, and name the best one if the data can tell.

    Args:
        task: has `metric(prediction, answers) -> float` and `warmup`, a question for warming up.
        approaches: each is set up once, and is then asked `task.warmup` once, before its first question.
        test_set: items {"question": str, "answers": list[str]}, possibly with other keys. Questions may be
            repeated. Each approach is asked all questions, once each, in the order of the test set. It is given only
            the question, a str, and never the answers. None of the arguments is changed.
        seed: alone decides which questions the bootstrap draws: the same seed gives the same intervals, another seed
            gives others. On return, the global random states are what they were on entry.
        clock: returns the time in seconds whenever it is called. A query lasts from just before `answer` is called
            to just after it has returned. Setup, warm-up, metric and cost are not timed.

    Returns:
        `Table(rows, winner)`: one row for each approach, the highest score first; equal scores stay in the order of
        `approaches`. The numbers of a row are Python floats. None of them includes the warm-up.
        name: that of the approach.
        score: the mean over the test set of the metric of each prediction with all answers of its question.
        low, high: the ends of the score's 95% bootstrap interval, from at least 2,000 resamples of the questions.
            You may use `interval` above.
        cost_per_query: the mean of `cost(question, prediction)` over the test set.
        seconds_per_query: the median time of a query; for an even number of queries the mean of the middle two.
        winner: the name of the first row if it is better than the second row beyond chance: the 95% bootstrap
            interval of the mean difference of their scores, question by question, is above 0. Otherwise, and with
            a single approach, None.

    Raises:
        ValueError: there is no approach, or no question; then nothing is set up or asked.

    Method: Koehn, "Statistical Significance Tests for Machine Translation Evaluation" (2004), sections 3 and 4,
    https://aclanthology.org/W04-3250/
    """
    # TODO: set up, warm up and ask each approach; sort the rows; compare the first two in pairs.
    raise NotImplementedError("TODO")


def write_report(table: Table, out_dir: str | Path) -> None:
    """Write the table as `report.md` and as the picture `scores.png` into `out_dir`.

    The folder, and those above it, are created if they are missing. Files of these names are replaced. The table
    is not changed.

    report.md is UTF-8. It has a Markdown table: one line for each row of the table, in the same order, that begins
    with "|" and holds the name, score, low, high, cost_per_query and seconds_per_query. Each number is exact to 1%,
    or to 0.001 if it is one of score, low and high. A separate line says "Winner: " and the name of the winner, or
    "Winner: none" if `table.winner` is None; Markdown's signs for bold text, code or a heading may stand in it.

    scores.png is a picture of at least 200 x 100 pixels with the score of each row and its interval. You may use
    `draw_scores` above.

    Method: https://github.github.com/gfm/#tables-extension-
    """
    # TODO: make the folder, write a line for each row and one for the winner, and draw the scores.
    raise NotImplementedError("TODO")


class DocsTask(NamedTuple):
    """Given: questions about the Python documentation, answered by a name or a few words."""

    warmup: str = "Which function prints a text?"

    def metric(self, prediction: str, answers: list[str]) -> float:
        from tunelings.handson import pydocs

        return pydocs.grade(prediction, answers)


def main(quick: bool = False, folder: Path = Path("runs/comparison")) -> None:
    """Given: compare the real approaches on the real questions, with a progress bar, and write the report."""
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
