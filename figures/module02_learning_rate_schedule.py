"""The figures of the lesson "Learning rate schedule": the curves, and one fine-tuning under four of them.

python figures/module02_learning_rate_schedule.py
"""

import json
import math
import statistics
from pathlib import Path

import matplotlib
from drawing import drawing_path

matplotlib.use("svg")
import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn.functional import mse_loss
from torch.optim.lr_scheduler import LambdaLR

HERE = Path(__file__).parent
NAME = Path(__file__).stem
STEPS, WARMUP, PEAK, FLOOR = 400, 40, 0.01, 0.1
SEEDS = range(7)


def linear(step, warmup, total):
    if step < warmup:
        return step / warmup
    return 1 - min(1, (step - warmup) / (total - warmup))


def cosine(step, warmup, total, floor):
    if step < warmup:
        return step / warmup
    q = min(1, (step - warmup) / (total - warmup))
    return floor + (1 - floor) * (1 + math.cos(math.pi * q)) / 2


SCHEDULES = {
    "constant": lambda step: 1.0,
    "linear, no warm-up": lambda step: linear(step, 0, STEPS),
    "warm-up, then constant": lambda step: min(1.0, step / WARMUP),
    "warm-up, then linear": lambda step: linear(step, WARMUP, STEPS),
    "warm-up, cosine to 0.1": lambda step: cosine(step, WARMUP, STEPS, FLOOR),
}


def network(generator, hidden=64):
    model = nn.Sequential(nn.Linear(16, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 1))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / parameter.shape[-1] ** 0.5)
    return model


def labeled(teacher, n, generator, noise=0.5):
    inputs = torch.randn(n, 16, generator=generator)
    with torch.no_grad():
        return inputs, teacher(inputs) + noise * torch.randn(n, 1, generator=generator)


def train(model, teacher, steps, lr, schedule, generator, watch=None):
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.0)
    scheduler = LambdaLR(optimizer, schedule)
    for step in range(steps):
        inputs, targets = labeled(teacher, 16, generator)
        optimizer.zero_grad()
        mse_loss(model(inputs), targets).backward()
        optimizer.step()
        scheduler.step()
        if watch:
            watch(step)


def fine_tune(seed):
    """Test error at the start, at its worst in the first 60 steps, and at the end, for each schedule."""
    generator = torch.Generator().manual_seed(seed)
    teacher, student = network(generator), network(generator)
    train(student, teacher, 3000, 0.003, lambda step: 1 - step / 3000, generator)
    pretrained = {name: value.clone() for name, value in student.state_dict().items()}
    with torch.no_grad():  # The new task is near the old one.
        for parameter in teacher.parameters():
            parameter += 0.15 * torch.randn(parameter.shape, generator=generator) / parameter.shape[-1] ** 0.5
    test_inputs, test_targets = labeled(teacher, 2000, generator, noise=0.0)
    rows = {}
    for name, schedule in SCHEDULES.items():
        student.load_state_dict(pretrained)
        errors = []

        def watch(step, errors=errors):
            if step < 60 or step == STEPS - 1:
                with torch.no_grad():
                    errors.append(float(mse_loss(student(test_inputs), test_targets)))

        with torch.no_grad():
            start = float(mse_loss(student(test_inputs), test_targets))
        train(student, teacher, STEPS, PEAK, schedule, torch.Generator().manual_seed(1000 + seed), watch)
        rows[name] = {"start": start, "worst": max(errors[:-1]), "end": errors[-1]}
    return rows


def rates_under_lambdalr():
    """The rate that each of eight optimizer steps ran at: 3 of warm-up, 8 in all, peak 0.01."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=PEAK)
    scheduler = LambdaLR(optimizer, lambda step: linear(step, 3, 8))
    rates = []
    for _ in range(8):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return [*rates, optimizer.param_groups[0]["lr"]]


def main():
    torch.set_num_threads(1)
    runs = [fine_tune(seed) for seed in SEEDS]
    table = {
        name: {key: statistics.median(run[name][key] for run in runs) for key in ("start", "worst", "end")}
        for name in SCHEDULES
    }
    pairs = {
        name: sum(run[name]["end"] < run["constant"]["end"] for run in runs) for name in SCHEDULES if name != "constant"
    }
    rates = rates_under_lambdalr()
    print(f"test error, median of {len(SEEDS)} seeds ({STEPS} steps, {WARMUP} of warm-up, peak {PEAK})")
    for name, row in table.items():
        print(f"{name:<24}" + "   ".join(f"{key} {value:.3f}" for key, value in row.items()))
    for name, wins in pairs.items():
        print(f"{name}: ends lower than constant in {wins} of {len(SEEDS)} seeds")
    print("rates of 8 steps under LambdaLR, and after them: " + " ".join(f"{rate:.4f}" for rate in rates))
    results = {"test_error": table, "lower_than_constant": pairs, "rates": rates}
    (HERE / "results" / f"{NAME}.json").write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    plot()


def plot():
    plt.rcParams.update({"svg.hashsalt": NAME, "font.size": 10})
    figure, axes = plt.subplots(figsize=(6.5, 3.0), layout="constrained")
    steps = range(STEPS + 61)
    axes.plot(steps, [linear(s, WARMUP, STEPS) for s in steps], "-", color="C0", label="warm-up, then linear")
    axes.plot(steps, [cosine(s, WARMUP, STEPS, FLOOR) for s in steps], "--", color="C1", label="warm-up, cosine to 0.1")
    axes.axvline(STEPS, color="0.8", linewidth=1, zorder=0)
    axes.set(xlabel="step (40 of warm-up, 400 in all)", ylabel="share of the peak rate")
    axes.legend(fontsize=9, frameon=False)
    figure.savefig(drawing_path(NAME), metadata={"Date": None})


if __name__ == "__main__":
    main()
