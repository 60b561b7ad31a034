"""One classifier from scratch, fine-tuned, and with all but its last layer frozen, at learning rates 1e-2 to 1e-6.

python figures/background_rates.py

A network for the digits 0 to 9 has learnt 0 to 4 from many images. Then it gets few images of 5 to 9. Accuracy on the
new digits, and on the old ones, which it could read before. Seconds on a CPU.
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
SEEDS, STEPS, BATCH, LABELS, HIDDEN = 3, 60, 20, 100, 64


def network():
    linear = torch.nn.Linear
    return torch.nn.Sequential(
        linear(784, HIDDEN), torch.nn.ReLU(), linear(HIDDEN, HIDDEN), torch.nn.ReLU(), linear(HIDDEN, 10)
    )


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
    old, new = labels < 5, labels >= 5
    torch.manual_seed(seed)
    pretrained = network()
    train(pretrained, images[old], labels[old], 1e-3, 300, 64, seed)
    few = torch.nonzero(new)[:, 0][torch.randperm(int(new.sum()))[:LABELS]]

    def scores(model):
        return {
            "new": accuracy(model, test_images[test_labels >= 5], test_labels[test_labels >= 5]),
            "old": accuracy(model, test_images[test_labels < 5], test_labels[test_labels < 5]),
        }

    runs = {"before": scores(pretrained)}
    for way in WAYS:
        for rate in RATES:
            torch.manual_seed(100 + seed)
            model = network() if way == "from scratch" else copy.deepcopy(pretrained)
            if way == "frozen":
                model[:-1].requires_grad_(False)
            moved = train(model, images[few], labels[few], float(rate), STEPS, BATCH, seed)
            runs[f"{way}, {rate}"] = {**scores(model), "moved": moved}
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
        axes.set(xscale="log", ylim=(-0.05, 1.05), ylabel=f"accuracy, {which} digits")
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
    typical = statistics.fmean(run["before"]["old"] for run in runs)
    results = {"summary": table, "before": before, "old_before": typical, **sizes}
    for way in WAYS:
        print(way, {r: (round(v["new"]["mean"], 3), round(v["old"]["mean"], 3)) for r, v in table[way].items()})
    print(before)
    (HERE / "results" / f"{NAME}.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    draw(table)


if __name__ == "__main__":
    main()
