"""What the bias correction does, and three optimizers in a narrow valley. Prints, writes JSON and SVG.

python figures/module01_optimizer_step.py
"""

import json
from pathlib import Path

import matplotlib
from drawing import drawing_path

matplotlib.use("svg")
import matplotlib.pyplot as plt
import torch

HERE = Path(__file__).parent
NAME = Path(__file__).stem
BETA1, BETA2 = 0.9, 0.999
STEPS = 10_000
MOST = 500


def step_lengths(corrected):
    """The length of each Adam step in units of lr, for a gradient that is always 1."""
    m = v = 0.0
    lengths = []
    for t in range(1, STEPS + 1):
        m = BETA1 * m + (1 - BETA1)
        v = BETA2 * v + (1 - BETA2)
        c1, c2 = (1 - BETA1**t, 1 - BETA2**t) if corrected else (1.0, 1.0)
        lengths.append((m / c1) / ((v / c2) ** 0.5 + 1e-8))
    return lengths


def steps_through_the_valley(make_optimizer):
    """The median number of steps until the loss is a thousandth of its start, over 101 random starts.

    The loss is x² / 2 + 100 y² / 2. All three optimizers act on each entry alone, so the starts can share a
    tensor and do not touch one another.
    """
    points = torch.randn(101, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    points.requires_grad_()
    curvature = torch.tensor([1.0, 100.0], dtype=torch.float64)
    optimizer = make_optimizer([points])
    arrived = torch.full([len(points)], MOST)
    for step in range(MOST):
        losses = 0.5 * (curvature * points**2).sum(dim=1)
        if step == 0:
            goal = losses.detach() / 1000
        arrived = torch.where((arrived == MOST) & (losses <= goal), step, arrived)
        optimizer.zero_grad()
        losses.sum().backward()
        optimizer.step()
    return int(arrived.median())


def fastest(make_optimizer, rates):
    """The fewest steps over a grid of learning rates, and the rate."""
    steps = {lr: steps_through_the_valley(lambda params, lr=lr: make_optimizer(params, lr)) for lr in rates}
    lr = min(rates, key=steps.__getitem__)
    return {"lr": lr, "steps": steps[lr]}


def main():
    corrected, plain = step_lengths(True), step_lengths(False)
    peak = max(range(STEPS), key=plain.__getitem__)
    within = next(t for t in range(peak, STEPS) if plain[t] < 1.05)
    rates = [0.001, 0.002, 0.005, 0.01, 0.015, 0.019, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]
    sgd, adamw = torch.optim.SGD, torch.optim.AdamW
    results = {
        "length_of_each_step_with_correction": [min(corrected), max(corrected)],
        "without_correction": {
            "first_step": plain[0],
            "longest": plain[peak],
            "longest_at_step": peak + 1,
            "below_1.05_from_step": within + 1,
        },
        "valley": {
            "sgd": fastest(lambda p, lr: sgd(p, lr=lr), rates),
            "sgd_momentum_0.9": fastest(lambda p, lr: sgd(p, lr=lr, momentum=0.9), rates),
            "adamw_no_decay": fastest(lambda p, lr: adamw(p, lr=lr, weight_decay=0.0), rates),
        },
    }
    text = json.dumps(results, indent=2, sort_keys=True)
    print(text)
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    plt.semilogx(range(1, STEPS + 1), plain, label="without correction")
    plt.semilogx(range(1, STEPS + 1), corrected, label="with correction")
    plt.xlabel("step")
    plt.ylabel("length of the step / lr")
    plt.title("Adam's steps for a constant gradient")
    plt.legend()
    plt.grid(alpha=0.3)
    plt.tight_layout()
    plt.savefig(drawing_path(NAME), metadata={"Date": None})


matplotlib.rcParams["svg.hashsalt"] = NAME
if __name__ == "__main__":
    main()
