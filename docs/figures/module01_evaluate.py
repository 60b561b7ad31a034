"""Measures the same trained network in the right way and in three wrong ones.

A network with dropout is trained on 600 points and evaluated on 515 others. Only the evaluation differs:
the batch size, the averaging, the mode; and how many bytes autograd keeps for a backward pass that never
comes. Run: python docs/figures/module01_evaluate.py
"""

import json
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

NAME = Path(__file__).stem
BATCH_SIZES = (32, 64, 128, 256, 512)
N_TEST = 515


def data():
    """600 training and 515 test points around 4 overlapping centres, in 20 dimensions; the test set is
    sorted by class, as files in folders are."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(4, 20, generator=generator)

    def draw(count):
        labels = torch.randint(0, 4, (count,), generator=generator)
        return centres[labels] + 2.0 * torch.randn(count, 20, generator=generator), labels

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


if __name__ == "__main__":
    main()
