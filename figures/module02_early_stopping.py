"""Measures a network that overfits: when its losses turn, and what patience and the copy are worth.

A network with 128 hidden units learns 240 points in 4 classes, a fifth of whose labels are drawn anew; 240
more points, labeled in the same way, are for validation, and 4,000 for the test. The validation loss is
measured after every 5 steps of SGD (learning rate 0.02, batches of 16); 3 measurements are an epoch.
Run: python figures/module02_early_stopping.py
"""

import copy
import json
from pathlib import Path

import matplotlib
import torch
from drawing import drawing_path
from torch import nn
from torch.nn import functional as F

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

NAME = Path(__file__).stem
EPOCHS = 60
EVERY = 5  # steps from one measurement to the next
SHOWN = (1, 10, 20, 40, 80, 180)
PATIENCES = (1, 2, 4, 8, 16)


def data():
    """Training, validation and test points around 4 overlapping centers in 20 dimensions."""
    generator = torch.Generator().manual_seed(0)
    centers = torch.randn(4, 20, generator=generator)

    def draw(count):
        labels = torch.randint(0, 4, (count,), generator=generator)
        inputs = centers[labels] + 2.0 * torch.randn(count, 20, generator=generator)
        noisy = torch.rand(count, generator=generator) < 0.2
        return inputs, torch.where(noisy, torch.randint(0, 4, (count,), generator=generator), labels)

    return draw(240), draw(240), draw(4000)


def loss_and_accuracy(model, inputs, labels):
    with torch.no_grad():
        logits = model(inputs)
    return F.cross_entropy(logits, labels).item(), (logits.argmax(-1) == labels).float().mean().item()


def train():
    """The training and validation loss at each measurement, and a copy of the model at each."""
    (inputs, labels), validation, _ = data()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 128), nn.ReLU(), nn.Linear(128, 4))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    order = torch.Generator().manual_seed(1)
    curves, copies = {"training": [], "validation": []}, []
    batches = [rows for _ in range(EPOCHS) for rows in torch.randperm(len(labels), generator=order).split(16)]
    for step, rows in enumerate(batches, start=1):
        optimizer.zero_grad()
        F.cross_entropy(model(inputs[rows]), labels[rows]).backward()
        optimizer.step()
        if step % EVERY == 0:
            curves["training"].append(loss_and_accuracy(model, inputs, labels)[0])
            curves["validation"].append(loss_and_accuracy(model, *validation)[0])
            copies.append(copy.deepcopy(model))
    return curves, copies


def stop_and_best(losses, patience):
    """The measurements, counted from 1, at which training stops and whose weights are the best by then."""
    best = 0
    for now, loss in enumerate(losses):
        if loss < losses[best]:
            best = now
        if now - best >= patience:
            break
    return now + 1, best + 1


def main():
    curves, copies = train()
    *_, test = data()

    def measured(number):
        loss, accuracy = loss_and_accuracy(copies[number - 1], *test)
        return {"measurement": number, "test accuracy": round(accuracy, 3), "test loss": round(loss, 3)}

    results = {"never stopped": measured(len(copies)), "patience": {}}
    for patience in PATIENCES:
        stop, best = stop_and_best(curves["validation"], patience)
        results["patience"][patience] = {"best": measured(best), "stop": measured(stop)}
    for name, curve in curves.items():
        results[f"{name} loss at measurements {', '.join(map(str, SHOWN))}"] = [round(curve[i - 1], 3) for i in SHOWN]
    text = json.dumps(results, indent=2, sort_keys=True)
    print(text)
    folder = Path(__file__).parent
    (folder / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    plot(curves, drawing_path(NAME))


def plot(curves, path):
    plt.rcParams["svg.hashsalt"] = NAME  # the same file in every run
    figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
    for (name, curve), style in zip(curves.items(), ("--", "-"), strict=True):
        axes.plot(range(1, len(curve) + 1), curve, style, label=f"{name} loss", linewidth=1.4)
    best = stop_and_best(curves["validation"], 8)[1]
    axes.axvline(best, color="0.6", linewidth=1)
    axes.annotate(f"best: {best}", (best, max(curves["validation"])), (5, -8), textcoords="offset points")
    axes.set(xlabel="measurement (every 5 steps)", ylabel="cross-entropy")
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
