"""Measures what LoRA of several ranks makes of a network that has to read digits turned by 90 degrees.

A network 784-256-256-10 learns the 8,000 shipped digits as they are. Then it is adapted to the same digits
turned, by training all weights or by wrapping each of its three layers in the LoRALinear of the solution
(lora_alpha = 2 r), and by two mistakes of the card. Adam at 2e-3, batches of 100, 240 steps, 3 seeds.
Run: python figures/module03_lora_linear.py
"""

import copy
import json
from pathlib import Path

import torch
from drawing import ROOT, drawing_path
from matplotlib import rcParams
from matplotlib.figure import Figure
from torch import nn
from torch.nn import functional as F

from tunelings.course import Course, data_folder
from tunelings.grading import answers, diagnose
from tunelings.grading.answers import Source
from tunelings.handson import mnist

NAME = Path(__file__).stem
EXERCISE = Course(ROOT).find("3.01")
RANKS = (1, 2, 4, 8, 16, 32)
SEEDS = 3
STEPS = 240
LR = 2e-3


def lora_class(mistake_id=None, form=0):
    """LoRALinear of the solution, or of the solution with a mistake in it."""
    text = answers.read(EXERCISE.solution_path).text
    if mistake_id:
        mistake = next(m for m in EXERCISE.card.mistakes if m.id == mistake_id)
        text = diagnose.apply(mistake, form, text)
    return answers.load(Source(EXERCISE.solution_path.with_name(f"{mistake_id}-{form}.py"), text)).LoRALinear


def data():
    """(upright, turned, labels) of the training and of the test digits, standardized."""
    (train, train_labels), (test, test_labels) = mnist.load_digits(data_folder("mnist"))
    mean, std = train.float().mean(), train.float().std()
    sets = []
    for images, labels in ((train, train_labels), (test, test_labels)):
        images = (images.float() - mean) / std
        turned = torch.rot90(images, dims=(1, 2))
        sets.append((images.flatten(1), turned.flatten(1), labels))
    return sets


def train(model, images, labels, steps, seed):
    order = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=LR)
    for _ in range(steps):
        rows = torch.randint(len(labels), (100,), generator=order)
        optimizer.zero_grad()
        F.cross_entropy(model(images[rows]), labels[rows]).backward()
        optimizer.step()


@torch.no_grad()
def accuracy(model, images, labels):
    return (model(images).argmax(dim=1) == labels).double().mean().item()


def wrapped(base, layer_class, r):
    """A copy of the network in which each linear layer is a LoRALinear."""
    model = copy.deepcopy(base)
    for index, layer in enumerate(model):
        if isinstance(layer, nn.Linear):
            model[index] = layer_class(layer, r=r, lora_alpha=2 * r)
    return model


def rounded(value):
    return round(float(value) + 1e-9, 3)  # 0.9515 upwards, whether it is a single value or a mean.


def measure(build, base, train_set, test_set):
    """Parameters that train, and accuracies on turned and upright test digits before and after."""
    runs = []
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        model = build(base)
        start = accuracy(model, test_set[0], test_set[2])
        train(model, train_set[1], train_set[2], STEPS, seed)
        runs.append([start, accuracy(model, test_set[1], test_set[2]), accuracy(model, test_set[0], test_set[2])])
    start, turned, upright = torch.tensor(runs, dtype=torch.float64).T
    return {
        "trainable": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "upright at the start": rounded(start.mean()),
        "turned after training": rounded(turned.mean()),
        "turned after training, lowest and highest": [rounded(turned.min()), rounded(turned.max())],
        "upright after training": rounded(upright.mean()),
    }


def main():
    torch.set_num_threads(1)
    train_set, test_set = data()
    torch.manual_seed(0)
    base = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
    train(base, train_set[0], train_set[2], 600, seed=100)
    right, zero, random = lora_class(), lora_class("both-zero"), lora_class("b-not-zero-at-start", 1)
    results = {"base": {"upright": rounded(accuracy(base, test_set[0], test_set[2]))}}
    results["base"]["turned"] = rounded(accuracy(base, test_set[1], test_set[2]))
    results["full"] = measure(copy.deepcopy, base, train_set, test_set)
    for r in RANKS:
        results[f"r = {r}"] = measure(lambda b, r=r: wrapped(b, right, r), base, train_set, test_set)
    results["A and B zero, r = 8"] = measure(lambda b: wrapped(b, zero, 8), base, train_set, test_set)
    results["A and B random, r = 8"] = measure(lambda b: wrapped(b, random, 8), base, train_set, test_set)
    # The adapter can be taken off again, and the base is what it was.
    model = wrapped(base, right, 8)
    train(model, train_set[1], train_set[2], STEPS, seed=0)
    changed = max((w.base.weight - b.weight).abs().max().item() for w, b in zip(model[::2], base[::2], strict=True))
    results["largest change of a base weight, r = 8"] = changed
    text = json.dumps(results, indent=2, sort_keys=True)
    print(text)
    folder = Path(__file__).parent
    (folder / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    plot(results, drawing_path(NAME))


def plot(results, path):
    rcParams["svg.hashsalt"] = NAME  # the same file in every run
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    points = [results[f"r = {r}"] for r in RANKS]
    counts = [point["trainable"] for point in points]
    axes.plot(counts, [point["turned after training"] for point in points], "o-", label="LoRA")
    for r, point in zip(RANKS, points, strict=True):
        label = f"r = {r}" if r == 1 else f"{r}"
        axes.annotate(label, (point["trainable"], point["turned after training"]), (5, -12), textcoords="offset points")
    full = results["full"]
    axes.plot([full["trainable"]], [full["turned after training"]], "s", color="tab:gray", label="all weights")
    axes.axhline(results["base"]["turned"], linestyle=":", color="tab:red", label="before")
    axes.set(xscale="log", xlabel="parameters that train", ylabel="accuracy on turned digits", ylim=(0, 1))
    axes.legend(frameon=False, loc="center right")
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
