"""Measures the same trained network in the right way and in three wrong ones.

A network with dropout is trained on 600 points and evaluated on 515 others. Only the evaluation differs:
the batch size, the averaging, the mode; and how many bytes autograd keeps for a backward pass that never
comes. Run: python figures/module01_evaluate.py
With --draw it makes the drawing alone, from the numbers of the last run.
"""

import json
import sys
from pathlib import Path

import torch
from drawing import plots, results_of, save
from torch import nn
from torch.nn import functional as F

NAME = Path(__file__).stem
BATCH_SIZES = (32, 64, 128, 256, 512)
N_TEST = 515


def data():
    """600 training and 515 test points around 4 overlapping centers, in 20 dimensions; the test set is
    sorted by class, as files in folders are."""
    generator = torch.Generator().manual_seed(0)
    centers = torch.randn(4, 20, generator=generator)

    def draw(count):
        labels = torch.randint(0, 4, (count,), generator=generator)
        return centers[labels] + 2.0 * torch.randn(count, 20, generator=generator), labels

    train, (inputs, labels) = draw(600), draw(N_TEST)
    order = labels.argsort(stable=True)
    return train, (inputs[order], labels[order])


def trained_model(inputs, labels):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, 4))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(20):
        for rows in torch.randperm(600).split(64):
            optimizer.zero_grad()
            F.cross_entropy(model(inputs[rows]), labels[rows]).backward()
            optimizer.step()
    return model


def measure(model, inputs, labels, batch_size):
    """Loss and accuracy as means over the examples, then as means over the batches."""
    losses, shares, sizes = [], [], []
    with torch.no_grad():
        for x, y in zip(inputs.split(batch_size), labels.split(batch_size), strict=True):
            outputs = model(x)
            losses.append(F.cross_entropy(outputs, y).item())
            shares.append((outputs.argmax(dim=1) == y).double().mean().item())
            sizes.append(len(y))
    per_example = [sum(v * n for v, n in zip(values, sizes, strict=True)) / sum(sizes) for values in (losses, shares)]
    per_batch = [sum(values) / len(values) for values in (losses, shares)]
    return [round(v, 4) for v in per_example], [round(v, 4) for v in per_batch]


def bytes_kept(model, inputs):
    """What a forward pass keeps for backward, the weights themselves not counted."""
    weights = {p.data_ptr() for p in model.parameters()}
    kept = {}

    def keep(tensor):
        if tensor.data_ptr() not in weights:
            kept[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        outputs = model(inputs)
    del outputs
    return sum(kept.values())


def draw():
    """Accuracy against batch size: right, wrongly averaged, and in train mode."""
    results = results_of(NAME)
    rows = results["by batch size: [loss, accuracy]"]
    figure, axes = plots(3.4)
    for way, style in (("per batch", "s--"), ("per example", "o-")):
        axes.semilogx(BATCH_SIZES, [rows[str(size)][way][1] for size in BATCH_SIZES], style, base=2)
    runs = [accuracy for _, accuracy in results["train mode, five runs, batch size 64: [loss, accuracy]"]]
    axes.plot([64] * len(runs), runs, "x", color="black")
    axes.text(135, 0.904, "mean of batch means", ha="right")
    axes.text(512, 0.845, "mean over examples, eval mode", ha="right")
    axes.text(72, 0.815, "train mode: five runs\nof the same model")
    axes.set_xticks(BATCH_SIZES, BATCH_SIZES)
    axes.minorticks_off()
    axes.set(xlabel="batch size; the last batch has 3 examples", ylabel="accuracy", ylim=(0.79, 0.94))
    axes.grid(alpha=0.3)
    save(figure, NAME)


def main():
    train, test = data()
    model = trained_model(*train)
    model.eval()
    rows = {}
    for size in BATCH_SIZES:
        per_example, per_batch = measure(model, *test, size)
        last = N_TEST % size
        rows[str(size)] = {"last batch": last, "per example": per_example, "per batch": per_batch}
    model.train()
    torch.manual_seed(0)
    in_train_mode = [measure(model, *test, 64)[0] for _ in range(5)]
    model.eval()
    with_graph = bytes_kept(model, test[0])
    with torch.no_grad():
        without_graph = bytes_kept(model, test[0])
    results = {
        "by batch size: [loss, accuracy]": rows,
        "train mode, five runs, batch size 64: [loss, accuracy]": in_train_mode,
        "bytes kept for backward, 515 examples in one batch: eval mode, eval mode and no_grad": [
            with_graph,
            without_graph,
        ],
    }
    text = json.dumps(results, indent=2, sort_keys=True)
    print(text)
    (Path(__file__).parent / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    draw()


if __name__ == "__main__":
    draw() if "--draw" in sys.argv else main()
