"""Measures the accuracies that the threshold of 1.10 stands between.

The reference solution, three other right models and the known mistakes are each trained with 20 seeds on the
shipped digits, with the settings of the check (10 epochs, Adam at 1e-3, batches of 64). Takes 5 to 20 minutes.
Run: python figures/module01_mnist_from_scratch.py
"""

import json
from pathlib import Path

import torch
from drawing import ROOT, drawing_path
from matplotlib.figure import Figure

from tunelings.course import Course, data_folder
from tunelings.grading import answers, diagnose
from tunelings.grading.answers import Source
from tunelings.handson import mnist

NAME = Path(__file__).stem
SEEDS = 20
EPOCHS = 10
THRESHOLD = 0.918
EXERCISE = Course(ROOT).find("1.10")
# Other right answers, as edits of the reference.
OTHERS = {
    "sigmoid for ReLU": ("nn.ReLU()", "nn.Sigmoid()"),
    "64 hidden units": (
        "nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)",
        "nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10)",
    ),
    "layer norm and tanh": ("nn.ReLU()", "nn.LayerNorm(128), nn.Tanh()"),
}
# Mistakes by id and form; those that are missing here change nothing that training on these files shows.
MISTAKES = (
    ("no-hidden-layer", 0, "one linear layer"),
    ("no-activation", 0, "two linear layers, no ReLU"),
    ("softmax-before-loss", 0, "softmax before the loss"),
    ("relu-on-the-logits", 0, "ReLU on the logits"),
    ("labels-shuffled-apart", 0, "labels shuffled apart"),
    ("no-zero-grad", 0, "gradients never cleared"),
    ("weights-never-move", 0, "no optimizer step"),
    ("not-standardized", 0, "pixels 0 to 255"),
    ("not-standardized", 1, "pixels 0 to 1"),
    ("not-shuffled", 0, "not shuffled"),
    ("val-overlaps-train", 0, "val is part of train"),
    ("test-in-training", 0, "test digits in training"),
)


def answer_of(mistake_id: str | None, form: int):
    """The reference, or the reference with a mistake in it, as a loaded module."""
    text = answers.read(EXERCISE.solution_path).text
    if mistake_id in OTHERS:
        text = text.replace(*OTHERS[mistake_id])
    elif mistake_id:
        mistake = next(m for m in EXERCISE.card.mistakes if m.id == mistake_id)
        text = diagnose.apply(mistake, form, text)
    return answers.load(Source(EXERCISE.solution_path.with_name(f"{mistake_id}-{form}.py"), text))


def train_once(answer, train, test, seed: int) -> tuple[float, float]:
    """Accuracy on val and on test after the training of the check."""
    torch.manual_seed(seed)
    model = answer.make_model()
    loaders = answer.make_loaders(train, test, 64, seed)
    history = answer.fit(model, loaders.train, loaders.val, EPOCHS, 1e-3)
    right = (mnist.predict(model, loaders.test) == test[1]).double().mean().item()
    return history.val_accuracy[-1], right


def summary(values: list[float]) -> dict:
    tensor = torch.tensor(values, dtype=torch.float64)
    parts = {"mean": tensor.mean(), "sd": tensor.std(), "lowest": tensor.min(), "highest": tensor.max()}
    return {name: round(value.item(), 4) for name, value in parts.items()}


def draw(results: dict) -> None:
    """A bar from the lowest to the highest seed for each model that learns in every run, with a dot at the mean."""
    test = {name: values["test"] for name, values in results["accuracy"].items()}
    order = ["reference", *OTHERS, *(name for _, _, name in MISTAKES)]
    names = [name for name in reversed(order) if test[name]["lowest"] > 0.8]
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for row, name in enumerate(names):
        color = "tab:blue" if name in {"reference", *OTHERS} else "tab:gray"
        axes.hlines(row, test[name]["lowest"], test[name]["highest"], color=color, linewidth=6, alpha=0.45)
        axes.plot(test[name]["mean"], row, "o", color=color)
    axes.axvline(results["threshold"], color="tab:red", label=f"threshold {results['threshold']}")
    axes.set_yticks(range(len(names)), labels=names)
    axes.set_xlabel(f"accuracy on the 2,000 test digits, lowest to highest of {results['seeds']} seeds")
    figure.legend(loc="outside upper right", frameon=False)
    figure.savefig(drawing_path(NAME), metadata={"Date": None})


def main() -> None:
    torch.set_num_threads(1)  # Small matrices: a second thread gains nothing.
    train, test = mnist.load_digits(data_folder("mnist"))
    measured = {}
    for mistake_id, form, name in ((None, 0, "reference"), *((name, 0, name) for name in OTHERS), *MISTAKES):
        answer = answer_of(mistake_id, form)
        pairs = [train_once(answer, train, test, seed) for seed in range(SEEDS)]
        measured[name] = {"test": summary([right for _, right in pairs]), "val": summary([val for val, _ in pairs])}
        print(f"{name:<28} test {measured[name]['test']}  val {measured[name]['val']}", flush=True)
    for name in ("reference", *OTHERS, "one linear layer", "two linear layers, no ReLU"):
        values = measured[name]["test"]
        distance = abs(values["mean"] - THRESHOLD) / values["sd"]
        print(f"{name}: {distance:.1f} standard deviations from {THRESHOLD}")
        measured[name]["sd_from_threshold"] = round(distance, 1)
    results = {"accuracy": measured, "seeds": SEEDS, "threshold": THRESHOLD}
    out = Path(__file__).parent / "results" / f"{NAME}.json"
    out.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    draw(results)


if __name__ == "__main__":
    main()
