"""The figure of the lesson "Forward pass": what a network with one hidden layer can fit, with and without ReLU.

python figures/module01_forward_pass.py
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
STEPS, LR = 1500, 0.02  # enough for the loss of each of these to stop falling


def init(n_in, n_hidden, n_out, seed):
    """Weights in the layout [out, in], scaled as torch.nn.Linear scales them."""
    generator = torch.Generator().manual_seed(seed)
    shapes = [((n_hidden, n_in), n_in), ((n_hidden,), n_in), ((n_out, n_hidden), n_hidden), ((n_out,), n_hidden)]
    return [((2 * torch.rand(shape, generator=generator) - 1) * fan_in**-0.5) for shape, fan_in in shapes]


def forward(x, w1, b1, w2, b2, activation):
    return activation(x @ w1.T + b1) @ w2.T + b2


def best_fit(x, y, n_hidden, activation):
    """The best of three trainings from other first weights: a narrow network is often stuck with dead units."""
    return min((fit(x, y, n_hidden, activation, seed) for seed in range(3)), key=lambda result: result[0])


def fit(x, y, n_hidden, activation, seed):
    """Train on all points at once; returns the mean squared error and the fitted values."""
    parameters = [p.requires_grad_() for p in init(1, n_hidden, 1, seed)]
    optimizer = torch.optim.Adam(parameters, lr=LR)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = ((forward(x, *parameters, activation) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        fitted = forward(x, *parameters, activation)
    return float(((fitted - y) ** 2).mean()), fitted


def nothing(values):
    return values


def merged_difference():
    """How far two linear layers in a row are from the one layer that they multiply out to."""
    w1, b1, w2, b2 = (p.double() for p in init(20, 50, 10, seed=1))
    x = torch.randn(100, 20, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    one_layer = x @ (w2 @ w1).T + (w2 @ b1 + b2)
    plain = (forward(x, w1, b1, w2, b2, nothing) - one_layer).abs().max()
    cut = (forward(x, w1, b1, w2, b2, torch.relu) - one_layer).abs().max()
    return float(plain), float(cut)


def main():
    torch.set_num_threads(1)
    x = torch.linspace(-1, 1, 200)[:, None]
    y = torch.sin(2 * torch.pi * x)
    curves, errors = {}, {}
    for n_hidden in (4, 8, 64):
        error, fitted = best_fit(x, y, n_hidden, torch.relu)
        errors[f"relu, {n_hidden} hidden"], curves[f"ReLU, {n_hidden} hidden units"] = error, fitted
    errors["no activation, 64 hidden"], curves["no activation, 64 hidden units"] = best_fit(x, y, 64, nothing)
    slope = float((x * y).sum() / (x * x).sum())
    errors["the best straight line"] = float(((slope * x - y) ** 2).mean())
    plain, cut = merged_difference()

    for name, error in errors.items():
        print(f"mean squared error, {name}: {error:.4f}")
    print(f"two linear layers against their one-layer product: {plain:.1e} without ReLU, {cut:.2f} with")
    results = {"merged": {"with_relu": cut, "without": plain}, "mean_squared_error": errors}
    (HERE / "results" / f"{NAME}.json").write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    plot(x, y, curves)


def plot(x, y, curves):
    plt.rcParams.update({"svg.hashsalt": NAME, "font.size": 10})
    figure, axes = plt.subplots(figsize=(6.5, 3.4), layout="constrained")
    axes.plot(x, y, color="0.75", linewidth=6, label="the data, sin 2πx")
    styles = {"ReLU, 8 hidden units": "--", "ReLU, 64 hidden units": "-", "no activation, 64 hidden units": ":"}
    for name, style in styles.items():
        axes.plot(x, curves[name], style, linewidth=1.8, label=name)
    axes.set(xlabel="x", ylabel="output")
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    figure.savefig(drawing_path(NAME), metadata={"Date": None})


if __name__ == "__main__":
    main()
