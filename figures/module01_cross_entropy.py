"""The figure of the lesson "Cross-entropy": four ways to write it, on logits that lie further and further apart.

python figures/module01_cross_entropy.py
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
CLASSES = 10


def shifted(z, target):
    z = z - z.max()
    return z.exp().sum().log() - z[target]


def unshifted(z, target):
    return z.exp().sum().log() - z[target]


def log_of_softmax(z, target):
    return -torch.softmax(z, dim=0)[target].log()


def softmax_before(z, target):
    return shifted(torch.softmax(z, dim=0), target)


WAYS = {
    "maximum subtracted": shifted,
    "maximum not subtracted": unshifted,
    "log of the softmax": log_of_softmax,
    "softmax before the loss": softmax_before,
}


def loss(way, gap, dtype=torch.float32):
    """The loss of one row of ten logits, 0 but for one at `gap`; the target is the first of the zeros."""
    z = torch.zeros(CLASSES, dtype=dtype)
    z[1] = gap
    return float(WAYS[way](z, 0))


def first_infinite(way, dtype):
    """The smallest gap, in steps of 0.01, at which the loss is no longer a finite number."""
    low, high = 0, 1_000_000
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if torch.tensor(loss(way, middle / 100, dtype)).isfinite() else (low, middle)
    return high / 100


def floor_of_softmax_before():
    """The loss of a row that is entirely right and entirely sure, if a softmax is put before the loss."""
    z = torch.zeros(CLASSES, dtype=torch.float64)
    z[0] = 1e4
    return float(softmax_before(z, 0)), float(shifted(z, 0))


def loss_at_the_start(classes):
    """The mean loss of 2,000 rows whose logits are nearly equal, as those of an untrained network are."""
    generator = torch.Generator().manual_seed(0)
    logits = 0.01 * torch.randn(2000, classes, generator=generator)
    targets = torch.randint(classes, (2000,), generator=generator)
    return float(torch.nn.functional.cross_entropy(logits, targets))


def confident_row(dtype):
    """The loss of logits [8, 0, ... 0] at target 0, with every operation in `dtype`."""
    z = torch.zeros(CLASSES, dtype=dtype)
    z[0] = 8
    return float(shifted(z, 0))


def main():
    torch.set_num_threads(1)
    gaps = [0, 5, 20, 50, 80, 88, 89, 100, 104, 120]
    table = {way: [loss(way, gap) for gap in gaps] for way in WAYS}
    limits = {
        f"{way}, {str(dtype).removeprefix('torch.')}": first_infinite(way, dtype)
        for way in ("maximum not subtracted", "log of the softmax")
        for dtype in (torch.float32, torch.float64)
    }
    floor, true_loss = floor_of_softmax_before()
    start = {str(classes): loss_at_the_start(classes) for classes in (2, 10, 1000)}
    targets = torch.tensor([-100, -100, -100])
    all_ignored = float(torch.nn.functional.cross_entropy(torch.randn(3, CLASSES), targets))
    confident = {str(d).removeprefix("torch."): confident_row(d) for d in (torch.bfloat16, torch.float32)}

    print("gap   " + "".join(f"{gap:>9}" for gap in gaps))
    for way, losses in table.items():
        print(f"{way:<24}" + " ".join(f"{value:.3f}" for value in losses))
    for name, gap in limits.items():
        print(f"infinite from a gap of {gap:.2f}: {name}")
    print(f"a sure and right row of {CLASSES} classes: {true_loss:.3f}, with a softmax before the loss {floor:.3f}")
    print("at the start: " + ", ".join(f"{value:.3f} for {classes} classes" for classes, value in start.items()))
    print("logits [8, 0 x 9]: " + ", ".join(f"{value:.6f} in {name}" for name, value in confident.items()))
    lost = torch.finfo(torch.bfloat16).eps / 2
    print(f"beside 1, bfloat16 loses what is smaller than {lost:.4f}")
    print(f"torch's loss where all targets are ignored: {all_ignored}")
    results = {
        "all_ignored_in_torch": str(all_ignored),
        "confident_row": confident,
        "lost_beside_1_in_bfloat16": lost,
        "floor": floor,
        "gaps": gaps,
        "infinite_from": limits,
        "losses": {way: [v if torch.tensor(v).isfinite() else str(v) for v in row] for way, row in table.items()},
        "start": start,
    }
    (HERE / "results" / f"{NAME}.json").write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    plot()


def plot():
    plt.rcParams.update({"svg.hashsalt": NAME, "font.size": 10})
    figure, axes = plt.subplots(figsize=(6.5, 3.4), layout="constrained")
    gaps = [g / 2 for g in range(281)]
    styles = {
        "maximum subtracted": ("-", "0.75", 6),
        "log of the softmax": ("-", "C1", 1.8),
        "maximum not subtracted": ("--", "C0", 1.8),
        "softmax before the loss": (":", "C3", 1.8),
    }
    for way, (line, color, width) in styles.items():
        losses = [value if torch.tensor(value).isfinite() else float("nan") for value in (loss(way, g) for g in gaps)]
        axes.plot(gaps, losses, line, color=color, linewidth=width, label=way)
        end = max(i for i, value in enumerate(losses) if value == value)
        if end + 1 < len(gaps):
            axes.plot(gaps[end], losses[end], "x", color=color, markersize=9, markeredgewidth=2)
    axes.set(xlabel="how far the wrong class's logit lies above the target's", ylabel="loss (float32)")
    axes.legend(fontsize=8, frameon=False)
    figure.savefig(drawing_path(NAME), metadata={"Date": None})


if __name__ == "__main__":
    main()
