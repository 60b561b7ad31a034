"""The digits of 1.10 as pictures, the ones that five networks read wrong, and the five learning curves.

python figures/module01_mnist_digits.py     trains the reference with five seeds, about a minute on a CPU
python figures/drawing.py module01_mnist_digits

Draws mnist-digits.svg, mnist-wrong.svg and mnist-curves.svg beside the lesson.
"""

import json
from pathlib import Path

import torch
from drawing import ROOT, WIDTH, plots, save
from matplotlib.figure import Figure

from tunelings.course import Course, data_folder
from tunelings.grading import answers
from tunelings.grading.answers import Source
from tunelings.handson import mnist

NAME = Path(__file__).stem
SEEDS, EPOCHS = 5, 15
OF_EACH, WRONG = 8, 16


def load():
    return mnist.load_digits(data_folder("mnist"))


def run(answer, train, test, seed):
    """The curves of one seed, and its prediction and the probability of it for each test digit."""
    torch.manual_seed(seed)
    model = answer.make_model()
    loaders = answer.make_loaders(train, test, 64, seed)
    history = answer.fit(model, loaders.train, loaders.val, EPOCHS, 1e-3)
    model.eval()
    with torch.no_grad():
        probabilities = torch.cat([model(images).softmax(-1) for images, _ in loaders.test])
    sure, read = probabilities.max(-1)
    curves = {name: [round(value, 4) for value in values] for name, values in history._asdict().items()}
    print(seed, "test accuracy", (read == test[1]).double().mean().item(), flush=True)
    return curves, read, sure


def measure():
    train, test = load()
    solution = Course(ROOT).find("1.10").solution_path
    answer = answers.load(Source(solution, answers.read(solution).text))
    runs = [run(answer, train, test, seed) for seed in range(SEEDS)]
    read = torch.stack([one[1] for one in runs])
    sure = torch.stack([one[2] for one in runs])
    wrong = read != test[1]
    by_all = wrong.all(0).nonzero().flatten()
    # The ones that the networks are surest of first: these are the ones that a person wants to see.
    order = by_all[sure[:, by_all].mean(0).argsort(descending=True)][:WRONG].tolist()
    return {
        "seeds": SEEDS,
        "epochs": EPOCHS,
        "test_digits": len(test[1]),
        "curves": [one[0] for one in runs],
        "wrong_by_seed": wrong.sum(1).tolist(),
        "wrong_by_all": len(by_all),
        "wrong_by_any": int(wrong.any(0).sum()),
        "shown": [
            {
                "index": i,
                "label": int(test[1][i]),
                "read": read[:, i].tolist(),
                "sure": round(sure[:, i].mean().item(), 3),
            }
            for i in order
        ],
    }


def picture(axes, image, title=""):
    axes.imshow(image.numpy(), cmap="gray_r", vmin=0, vmax=255, interpolation="none")  # the pixels as they are
    axes.set_title(title, fontsize=9, pad=2)
    axes.axis("off")


def draw_digits():
    """The first eight training digits of each kind, a row for each digit and one picture of all."""
    (images, labels), _ = load()
    rows = [torch.cat(list(images[labels == digit][:OF_EACH]), dim=1) for digit in range(10)]
    figure, axes = plots(6.5)
    picture(axes, torch.cat(rows))
    save(figure, "module01_mnist_digits")


def draw_wrong(results):
    """Test digits that all networks read wrong, with what they read and the label."""
    _, (images, _) = load()
    figure = Figure(figsize=(WIDTH, 6.2), layout="constrained")
    for axes, one in zip(figure.subplots(4, WRONG // 4).flat, results["shown"], strict=True):
        read = ", ".join(str(digit) for digit in sorted(set(one["read"])))
        picture(axes, images[one["index"]], f"read {read}\nlabel {one['label']}")
    save(figure, "module01_mnist_wrong")


def draw_curves(results):
    """Loss on train and val, and accuracy on val, a line for each seed."""
    figure, (loss, accuracy) = plots(5.2, 2, sharex=True)
    epochs = range(1, results["epochs"] + 1)
    for seed, curves in enumerate(results["curves"]):
        names = ("train", "val") if seed == 0 else (None, None)
        loss.plot(epochs, curves["train_loss"], color="tab:blue", linewidth=1, label=names[0])
        loss.plot(epochs, curves["val_loss"], color="tab:orange", linewidth=1, linestyle="--", label=names[1])
        accuracy.plot(epochs, curves["val_accuracy"], color="tab:orange", linewidth=1, linestyle="--")
    loss.set_yscale("log")
    loss.set_ylabel("loss")
    loss.legend(frameon=False)
    accuracy.set(ylabel="accuracy on val", xlabel="epoch")
    accuracy.set_xticks(range(0, results["epochs"] + 1, 5))
    save(figure, "module01_mnist_curves")


def draw(results):
    draw_digits()
    draw_wrong(results)
    draw_curves(results)


def main():
    torch.set_num_threads(1)  # Small matrices: a second thread gains nothing.
    results = measure()
    text = json.dumps(results, indent=1, sort_keys=True)
    (ROOT / "figures" / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    draw(results)


if __name__ == "__main__":
    main()
