# names: winner-by-a-margin
# breaks: "beyond chance"
import contextlib
import pathlib
import statistics
import time
import types
import typing
import warnings

import numpy
import scipy.stats


class Approach(typing.NamedTuple):
    name: str
    setup: object
    answer: object
    cost: object


Row = types.SimpleNamespace


def Table(rows, winner):
    return types.SimpleNamespace(rows=rows, winner=winner)


def bootstrap(values, seed):
    if min(values) == max(values):
        return float(values[0]), float(values[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = scipy.stats.bootstrap(
            (values,),
            numpy.mean,
            n_resamples=3000,
            batch=100,
            method="percentile",
            random_state=numpy.random.RandomState(seed % 2**32),
        )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


class Stopwatch:
    def __init__(self, clock):
        self.clock, self.laps = clock, []

    @contextlib.contextmanager
    def lap(self):
        begin = self.clock()
        yield
        self.laps.append(self.clock() - begin)


def run(task, approaches, test_set, seed, *, clock=time.perf_counter):
    if min(len(approaches), len(test_set)) == 0:
        raise ValueError("give at least one approach and one question")
    rows, graded = [], []
    for name, setup, answer, cost in approaches:
        setup()
        answer(task.warmup)
        watch, predictions = Stopwatch(clock), []
        for item in test_set:
            with watch.lap():
                predictions.append(answer(item["question"]))
        scores = [task.metric(p, item["answers"]) for p, item in zip(predictions, test_set, strict=True)]
        costs = [cost(item["question"], p) for p, item in zip(predictions, test_set, strict=True)]
        low, high = bootstrap(scores, seed)
        row = Row(name=name, score=statistics.fmean(scores), low=low, high=high)
        row.cost_per_query, row.seconds_per_query = statistics.fmean(costs), float(statistics.median(watch.laps))
        rows.append(row)
        graded.append(scores)
    order = sorted(range(len(rows)), key=lambda i: rows[i].score, reverse=True)  # reverse keeps equals in order.
    winner = None
    if len(order) >= 2:
        difference = numpy.subtract(graded[order[0]], graded[order[1]])
        if bootstrap(difference, seed)[0] > 0.01:
            winner = rows[order[0]].name
    return Table([rows[i] for i in order], winner)


def write_report(table, out_dir):
    out_dir = pathlib.Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    head = "| name | score | 95 % | cost/query | s/query |\n| --- | --- | --- | --- | --- |"
    body = [
        f"| `{r.name}` | {r.score:.4f} | [{r.low:.4f}, {r.high:.4f}] | {r.cost_per_query:.4g} "
        f"| {r.seconds_per_query:.6f} |"
        for r in table.rows
    ]
    last = "**Winner:** " + (table.winner or "none")
    (out_dir / "report.md").write_bytes("\n".join([head, *body, "", last]).encode())
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3), layout="tight")
    axes = figure.subplots()
    for y, r in enumerate(table.rows):
        axes.barh(y, r.high - r.low, left=r.low, alpha=0.5)
        axes.plot([r.score], [y], "k|")
    axes.set_yticks(range(len(table.rows)), [r.name for r in table.rows])
    figure.savefig(out_dir / "scores.png")
