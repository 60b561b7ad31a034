"""How close do gradients by formula and by finite differences come? Prints a table, writes JSON and SVG.

python figures/module01_backward_pass.py
"""

import json
from pathlib import Path

import matplotlib
from drawing import drawing_path

matplotlib.use("svg")
import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F

HERE = Path(__file__).parent
NAME = Path(__file__).stem
STEPS = [10.0**-k for k in range(1, 13)]


def setting(dtype):
    """A linear layer from 20 inputs to 10 classes, and a batch of 32."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(32, 20, generator=generator, dtype=torch.float64)
    w = torch.randn(10, 20, generator=generator, dtype=torch.float64) / 20**0.5
    targets = torch.randint(0, 10, [32], generator=generator)
    return x.to(dtype), w.to(dtype), targets


def by_formula(x, w, targets):
    grad_logits = (torch.softmax(x @ w.T, dim=1) - F.one_hot(targets, 10)) / len(x)
    return grad_logits.T @ x


def by_autograd(x, w, targets):
    w = w.clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(x @ w.T, targets), w)[0]


def by_differences(x, w, targets, h):
    """(loss(w + h) - loss(w - h)) / 2h, one weight at a time."""
    gradient = torch.empty_like(w)
    for i in range(w.numel()):
        bump = torch.zeros_like(w)
        bump.view(-1)[i] = h
        higher = F.cross_entropy(x @ (w + bump).T, targets)
        lower = F.cross_entropy(x @ (w - bump).T, targets)
        gradient.view(-1)[i] = (higher - lower) / (2 * h)
    return gradient


def error(gradient, reference):
    """The largest difference, relative to the largest entry of the gradient."""
    return float((gradient.double() - reference).abs().max() / reference.abs().max())


def main():
    reference = by_formula(*setting(torch.float64))
    results = {"formula_against_autograd": {}, "finite_differences": {}, "weights": reference.numel()}
    for dtype, name in ((torch.float64, "float64"), (torch.float32, "float32")):
        x, w, targets = setting(dtype)
        results["formula_against_autograd"][name] = error(
            by_formula(x, w, targets), by_autograd(x, w, targets).double()
        )
        curve = {f"{h:.0e}": error(by_differences(x, w, targets, h), reference) for h in STEPS}
        results["finite_differences"][name] = curve
        best = min(curve, key=curve.get)
        print(f"{name}: formula against autograd {results['formula_against_autograd'][name]:.1e}")
        print(f"{name}: best finite difference at h = {best}, error {curve[best]:.1e}")
        print("\n".join(f"    h = {h}   error {e:.1e}" for h, e in curve.items()))
        plt.loglog(STEPS, list(curve.values()), marker="o", label=name)
    (HERE / "results").mkdir(exist_ok=True)
    text = json.dumps(results, indent=2, sort_keys=True)
    (HERE / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    plt.xlabel("step h")
    plt.ylabel("error, relative to the largest entry")
    plt.title("Finite differences against the formula")
    plt.legend()
    plt.grid(alpha=0.3)
    plt.tight_layout()
    plt.savefig(drawing_path(NAME), metadata={"Date": None})


matplotlib.rcParams["svg.hashsalt"] = NAME
if __name__ == "__main__":
    main()
