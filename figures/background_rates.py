"""One classifier from scratch, fine-tuned, and on a frozen body, at learning rates 1e-2 to 1e-6. JSON and SVG.

python figures/background_rates.py

A body with a head has learned to read digits from many images. Then a new head on that body learns from few whether a
digit is odd. Accuracy on the new task by the new head, and on the old one by the old head: what the body still knows.
Seconds on a CPU.
"""

import copy
import json
import statistics
from pathlib import Path

import torch
from drawing import plots, save
from torch.nn import functional

from tunelings.course import data_folder
from tunelings.handson import mnist

HERE = Path(__file__).parent
NAME = Path(__file__).stem
RATES = ("1e-02", "1e-03", "1e-04", "1e-05", "1e-06")
WAYS = ("from scratch", "fine-tuned", "frozen")
SEEDS, STEPS, BATCH, LABELS, HIDDEN = 3, 60, 20, 50, 64


def new_body():
    first, second = torch.nn.Linear(784, HIDDEN), torch.nn.Linear(HIDDEN, HIDDEN)
    return torch.nn.Sequential(first, torch.nn.ReLU(), second, torch.nn.ReLU())


def new_head(classes):
    return torch.nn.Linear(HIDDEN, classes)


def train(model, images, labels, rate, steps, batch, seed):
    """AdamW at a constant rate; returns the largest way that a weight has gone."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    before = [parameter.detach().clone() for parameter in trained]
    optimizer = torch.optim.AdamW(trained, lr=rate)
    order = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        chosen = torch.randint(len(images), (batch,), generator=order)
        optimizer.zero_grad()
        functional.cross_entropy(model(images[chosen]), labels[chosen]).backward()
        optimizer.step()
    return max((new.detach() - old).abs().max().item() for new, old in zip(trained, before, strict=True))


@torch.no_grad()
def accuracy(model, images, labels):
    return (model(images).argmax(1) == labels).float().mean().item()


def one_seed(seed, train_set, test_set):
    (images, labels), (test_images, test_labels) = train_set, test_set
    torch.manual_seed(seed)
    body, old_head = new_body(), new_head(10)
    train(torch.nn.Sequential(body, old_head), images, labels, 1e-3, 400, 64, seed)
    few = torch.randperm(len(images))[:LABELS]

    def scores(body, head):
        return {
            "new": accuracy(torch.nn.Sequential(body, head), test_images, test_labels % 2),
            "old": accuracy(torch.nn.Sequential(body, old_head), test_images, test_labels),
        }

    runs = {"before": scores(body, new_head(2))}
    for way in WAYS:
        for rate in RATES:
            torch.manual_seed(100 + seed)
            own = new_body() if way == "from scratch" else copy.deepcopy(body)
            own.requires_grad_(way != "frozen")
            head = new_head(2)
            model = torch.nn.Sequential(own, head)
            moved = train(model, images[few], labels[few] % 2, float(rate), STEPS, BATCH, seed)
            runs[f"{way}, {rate}"] = {**scores(own, head), "moved": moved}
    return runs


def summary(values):
    return {"mean": statistics.fmean(values), "lowest": min(values), "highest": max(values)}


def draw(table):
    figure, (new, old) = plots(5.4, 2, sharex=True)
    rates = [float(rate) for rate in RATES]
    for axes, which in ((new, "new"), (old, "old")):
        for way, style in zip(WAYS, ("s--", "o-", "^:"), strict=True):
            rows = [table[way][rate][which] for rate in RATES]
            spread = [[r["mean"] - r["lowest"] for r in rows], [r["highest"] - r["mean"] for r in rows]]
            axes.errorbar(rates, [r["mean"] for r in rows], spread, fmt=style, capsize=3, label=way)
        axes.set(xscale="log", ylim=(-0.05, 1.05), ylabel=f"accuracy, {which} task")
        axes.grid(alpha=0.3)
    old.set_xlabel("learning rate")
    new.legend(loc="upper left")
    save(figure, NAME)


def main():
    torch.set_num_threads(1)
    parts = [(images.flatten(1) / 255, labels) for images, labels in mnist.load_digits(data_folder("mnist"))]
    runs = [one_seed(seed, *parts) for seed in range(SEEDS)]
    table = {
        way: {
            rate: {
                **{which: summary([run[f"{way}, {rate}"][which] for run in runs]) for which in ("new", "old")},
                "moved": max(run[f"{way}, {rate}"]["moved"] for run in runs),
            }
            for rate in RATES
        }
        for way in WAYS
    }
    before = {which: summary([run["before"][which] for run in runs]) for which in ("new", "old")}
    sizes = {"labels": LABELS, "steps": STEPS, "batch": BATCH, "seeds": SEEDS}
    results = {"summary": table, "before": before, **sizes}
    for way in WAYS:
        print(way, {r: (round(v["new"]["mean"], 3), round(v["old"]["mean"], 3)) for r, v in table[way].items()})
    print(before)
    (HERE / "results" / f"{NAME}.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    draw(table)


if __name__ == "__main__":
    main()
