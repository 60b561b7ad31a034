"""The figure of the lesson "Gradient accumulation": three ways to divide, and what stays in memory for backward.

python figures/module01_gradient_accumulation.py
With --draw it makes the drawing alone, from the numbers of the last run.
"""

import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from drawing import FROZEN, plots, results_of, save
from torch import nn

HERE = Path(__file__).parent
NAME = Path(__file__).stem
ROWS, LENGTH, WIDTH, WORDS = 2, 64, 64, 200
MICRO_BATCHES, GROUPS = 8, 20
SHORTEST = (64, 32, 4)  # a row counts between so many tokens and all 64


def make_model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Embedding(WORDS, WIDTH), nn.Linear(WIDTH, WIDTH), nn.GELU(), nn.Linear(WIDTH, WORDS))


def micro_batch(generator, shortest):
    """Token ids and targets of two rows; what lies beyond a row's length is padding and has no loss."""
    inputs = torch.randint(0, WORDS, (ROWS, LENGTH), generator=generator)
    targets = (7 * inputs + 3) % WORDS
    lengths = torch.randint(shortest, LENGTH + 1, (ROWS,), generator=generator)
    targets[torch.arange(LENGTH) >= lengths[:, None]] = -100
    return inputs, targets


def summed_loss(model, inputs, targets):
    loss = F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten(), reduction="sum", ignore_index=-100)
    return loss, int((targets != -100).sum())


def gradient(model, loss):
    return torch.cat([part.flatten() for part in torch.autograd.grad(loss, list(model.parameters()))])


def one_batch(group):
    return tuple(torch.cat(parts) for parts in zip(*group, strict=True))


def errors_of_a_group(model, group):
    """How far the gradient is from that of one big batch, in percent of its length, for two ways to divide."""
    total, count = summed_loss(model, *one_batch(group))
    big = gradient(model, total / count)
    sums = torch.zeros_like(big)
    means = torch.zeros_like(big)
    for batch in group:
        loss, n = summed_loss(model, *batch)
        part = gradient(model, loss)
        sums += part
        means += part / n
    return [float((g - big).norm() / big.norm()) * 100 for g in (sums / count, means / len(group))]


def saved_kib(model, batches):
    """KiB that autograd keeps for backward while the graphs of all `batches` are alive, parameters left out."""
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = (storage.nbytes(), tensor)  # Holding the tensor keeps the address taken.
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        graphs = [summed_loss(model, *batch) for batch in batches]
    del graphs
    return sum(size for size, _ in kept.values()) / 2**10


def draw():
    """Memory over the time of one update, and the error of the mean of means."""
    results = results_of(NAME)
    figure, (memory, errors) = plots(5.0, 2)
    big, small = results["saved_kib"]["one_big_batch"], results["saved_kib"]["one_micro_batch"]
    memory.fill_between([0, 8, 16], [0, big, 0], fc=FROZEN, ec="0.5", hatch="//")
    memory.fill_between([t / 2 for t in range(0, 33)], [0, small / 2, small, small / 2] * 8 + [0], fc="C0", ec="black")
    memory.text(8, big + 60, f"one big batch: {big:.0f} KiB", ha="center")
    memory.annotate(
        f"8 micro-batches:\n{small:.0f} KiB each", (15, small), (15.8, 800), ha="right", arrowprops={"arrowstyle": "->"}
    )
    memory.set(
        ylabel="kept for backward, KiB",
        xlabel="time: forward rises, backward falls",
        xticks=[],
        ylim=(0, 1900),
        xlim=(0, 16.3),
    )
    for place, row in enumerate(results["error"]):
        bars = errors.bar(place, row["mean_of_means_percent"], 0.5, fc=FROZEN, ec="0.3", hatch="xx")
        errors.bar_label(bars, fmt="%.1f%%", padding=8)
        errors.plot(place, row["sum_over_count_percent"], "o", color="C0", clip_on=False, zorder=3)
    names = [f"{row['shortest']} to 64" for row in results["error"][1:]]
    errors.set_xticks(range(3), ["all 64", *names])
    errors.set(xlabel="tokens that count in a row", ylabel="gradient off by, %", ylim=(0, 25))
    errors.text(
        0.02, 0.92, "bars: mean of means\ndots: sum / count, below 0.0001%", transform=errors.transAxes, va="top"
    )
    save(figure, NAME)


def main():
    torch.set_num_threads(1)
    model = make_model()
    generator = torch.Generator().manual_seed(1)
    table = []
    for shortest in SHORTEST:
        groups = [[micro_batch(generator, shortest) for _ in range(MICRO_BATCHES)] for _ in range(GROUPS)]
        errors = torch.tensor([errors_of_a_group(model, group) for group in groups])
        right, wrong = errors.mean(0).tolist()
        table.append({"shortest": shortest, "sum_over_count_percent": right, "mean_of_means_percent": wrong})
        print(f"rows of {shortest:>2} to 64 tokens: sum / count off by {right:.5f}%, mean of means {wrong:.1f}%")
    group = groups[-1]
    saved = {
        "one_big_batch": saved_kib(model, [one_batch(group)]),
        "one_micro_batch": saved_kib(model, group[:1]),
        "eight_graphs_kept": saved_kib(model, group),
    }
    for name, size in saved.items():
        print(f"kept for backward, {name}: {size:.0f} KiB")
    results = {"error": table, "groups": GROUPS, "saved_kib": saved}
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / f"{NAME}.json").write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    draw()


if __name__ == "__main__":
    draw() if "--draw" in sys.argv else main()
