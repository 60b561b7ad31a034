"""Measures what one wrong line in the training step does to the loss of 200 steps.

A network with 10 inputs, 32 hidden units and 3 classes learns 300 points by SGD (learning rate 0.1, batches
of 30). Each variant starts from the same weights and sees the same batches.
Run: python figures/module01_training_step.py
"""

import json
from pathlib import Path

import matplotlib
import torch
from drawing import drawing_path
from torch import nn

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

NAME = Path(__file__).stem
STEPS = 200
LR = 0.1
VARIANTS = ("as it should be", "never cleared", "cleared before the step", "step before backward")


def data():
    """Three overlapping clouds: 100 points each, in 10 dimensions."""
    generator = torch.Generator().manual_seed(0)
    centers = torch.randn(3, 10, generator=generator)
    labels = torch.arange(3).repeat(100)
    return centers[labels] + 1.5 * torch.randn(300, 10, generator=generator), labels


def step(variant, model, optimizer, inputs, targets):
    """One training step with its one line right or wrong; the loss before the update."""
    if variant in ("as it should be", "step before backward"):
        optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(inputs), targets)
    if variant == "step before backward":
        optimizer.step()
        loss.backward()
        return loss.item()
    loss.backward()
    if variant == "cleared before the step":
        optimizer.zero_grad()
    optimizer.step()
    return loss.item()


def train(variant, momentum=0.0):
    """The loss over all 300 points after each step, and the trained weights."""
    inputs, labels = data()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=momentum)
    order = torch.Generator().manual_seed(1)
    curve = []
    for _ in range(STEPS):
        rows = torch.randperm(300, generator=order)[:30]
        step(variant, model, optimizer, inputs[rows], labels[rows])
        with torch.no_grad():
            curve.append(nn.functional.cross_entropy(model(inputs), labels).item())
    return curve, torch.cat([p.detach().flatten() for p in model.parameters()])


def main():
    curves, weights = {}, {}
    for variant in VARIANTS:
        curves[variant], weights[variant] = train(variant)
    _, with_momentum_one = train("as it should be", momentum=1.0)
    difference = (weights["never cleared"] - with_momentum_one).abs().max().item()
    size = with_momentum_one.abs().max().item()

    results = {
        "loss after steps 1, 20, 50, 100, 200": {
            name: [round(curve[i - 1], 3) for i in (1, 20, 50, 100, 200)] for name, curve in curves.items()
        },
        "never cleared: smallest loss, at step": [
            round(min(curves["never cleared"]), 3),
            curves["never cleared"].index(min(curves["never cleared"])) + 1,
        ],
        "never cleared against momentum 1: largest difference of a weight": float(f"{difference:.2g}"),
        "never cleared: largest weight": round(size, 2),
    }
    text = json.dumps(results, indent=2, sort_keys=True)
    print(text)
    folder = Path(__file__).parent
    (folder / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    plot(curves, drawing_path(NAME))


def plot(curves, path):
    plt.rcParams["svg.hashsalt"] = NAME  # the same file in every run
    figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
    for (name, curve), style in zip(curves.items(), ("-", "-", "--", ":"), strict=True):
        axes.plot(range(1, STEPS + 1), curve, style, label=name, linewidth=2 if style == ":" else 1.4)
    axes.set(xlabel="step", ylabel="loss over all 300 points", yscale="log")
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
