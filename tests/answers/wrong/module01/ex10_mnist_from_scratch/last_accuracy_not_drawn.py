# names: unlisted
# breaks: "changes when one of their numbers does"
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class Loaders(NamedTuple):
    train: DataLoader
    val: DataLoader
    test: DataLoader


class History(NamedTuple):
    """One number for each epoch."""

    train_loss: list[float]
    val_loss: list[float]
    val_accuracy: list[float]


def make_model() -> nn.Module:
    """Return a new network that maps images `[B, 1, 28, 28]` to ten logits `[B, 10]`, for any B.

    It has a hidden layer with a non-linearity: an affine map of the pixels is not enough. The outputs are logits,
    as `F.cross_entropy` takes them: not probabilities, and not cut off at zero. They start small: on standardized
    digits the first loss is less than 0.5 away from ln 10 = 2.30, the loss of guessing (torch's default
    initialization does that). Each call makes new weights; two models share nothing.

    Trained with your `fit` and `make_loaders` on the shipped digits (10 epochs, lr 1e-3, batches of 64), it gets at
    least 91.8% of the test digits right. A linear model does not get there; one hidden layer of about 100 units
    does, in a few seconds.

    Method: https://docs.pytorch.org/tutorials/beginner/basics/buildmodel_tutorial.html
    """
    # BEGIN SOLUTION: flatten the image; one hidden layer with a non-linearity; ten outputs.
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    # END SOLUTION


def make_loaders(train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], batch_size: int, seed: int) -> Loaders:
    """Split one tenth off the training digits for validation, standardize, and wrap all three in loaders.

    Args:
        train: `(images uint8 [N, 28, 28], labels int64 [N])`; neither tensor is changed.
        test: the same form; all of it goes to the test loader, and nothing is learned from it.
        batch_size: size of every batch but the last, which holds the rest; no example is left out.
        seed: alone decides which examples are the validation part: the same seed gives the same part, and another
            seed gives another. On return, the global random states are what they were on entry.

    Returns:
        `Loaders(train, val, test)`, three `DataLoader`s. Each batch is a pair `(images float32 [B, 1, 28, 28],
        labels int64 [B])`, and each label stays with its image. val holds one tenth of the training digits (rounded
        up or down), train holds all others. Every pixel, of all three, is standardized as (pixel - mean) / std with
        one mean and one std: those of all pixels of the training part, without val and test (for std, you may
        divide by n or by n - 1). train comes in a new random order in every pass; val comes in the same order in
        every pass, and test in the order that was given.

    Raises:
        ValueError: fewer than 10 training examples, or no test example.

    Method: https://docs.pytorch.org/tutorials/beginner/basics/data_tutorial.html
    """
    # BEGIN SOLUTION: draw val with the seed, standardize all by the rest, build three loaders.
    images, labels = train
    test_images, test_labels = test
    if len(images) < 10 or len(test_images) == 0:
        raise ValueError(f"too few digits: {len(images)} to train on (10 at least), {len(test_images)} to test on")
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    val_part, train_part = order.tensor_split([len(images) // 10])
    std, mean = torch.std_mean(images[train_part].float())

    def standardized(images: Tensor, labels: Tensor) -> TensorDataset:
        return TensorDataset(((images.float() - mean) / std).unsqueeze(1), labels)

    return Loaders(
        train=DataLoader(standardized(images[train_part], labels[train_part]), batch_size, shuffle=True),
        val=DataLoader(standardized(images[val_part], labels[val_part]), batch_size),
        test=DataLoader(standardized(test_images, test_labels), batch_size),
    )
    # END SOLUTION


# BEGIN SOLUTION
@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> tuple[float, float]:
    """Loss and accuracy, as means over the examples."""
    device = next(model.parameters()).device
    model.eval()
    loss, correct, count = 0.0, 0, 0
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        logits = model(images)
        loss += F.cross_entropy(logits, labels, reduction="sum").item()
        correct += (logits.argmax(1) == labels).sum().item()
        count += len(labels)
    return loss / count, correct / count


# END SOLUTION
def fit(
    model: nn.Module,
    train_loader: DataLoader,
    val_loader: DataLoader,
    epochs: int,
    lr: float,
    *,
    on_step: Callable[[int, float], None] | None = None,
) -> History:
    """Train the model in place with Adam and cross-entropy, and measure it on val after each epoch.

    Args:
        model: maps a batch of images to logits `[B, C]`; its parameters may lie on any device.
        train_loader: yields `(images, labels)`, with images in the dtype of the model; one pass is one epoch.
        val_loader: the same, for measuring only. Neither loader is empty; the last batch may be smaller.
        epochs: number of passes over train_loader; all of them are made.
        lr: learning rate of `torch.optim.Adam`, whose other settings are torch's defaults.
        on_step: called once for each update as `on_step(step, loss)`: the number of the update, counted from 0
            across all epochs, and the loss of its batch before the update, as a Python float.

    Returns:
        `History(train_loss, val_loss, val_accuracy)`, lists of Python floats with one number for each epoch.
        train_loss is the mean over the examples of the loss that each had before its batch's update. val_loss
        and val_accuracy (0 to 1) are means over the examples of val (not of its batches), after the epoch.

    Each batch is moved to the device of the model's parameters. While training, the model is in train mode, in
    every epoch, and each training batch goes through it once, in the order of the loader, and makes one update.
    While measuring, the model is in eval mode and no graph is built; neither weights nor buffers change. It ends
    with the weights of the last epoch, whichever epoch was best on val. The mode in which the model is left is not
    promised.

    Method: Kingma and Ba, "Adam" (2015), https://arxiv.org/abs/1412.6980;
    https://docs.pytorch.org/tutorials/beginner/basics/optimization_tutorial.html
    """
    # BEGIN SOLUTION: each epoch: one update for every batch in train mode, then loss and accuracy on val.
    device = next(model.parameters()).device
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = History([], [], [])
    step = 0
    for _ in range(epochs):
        model.train()
        total, count = 0.0, 0
        for images, labels in train_loader:
            images, labels = images.to(device), labels.to(device)
            loss = F.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if on_step is not None:
                on_step(step, loss.item())
            step += 1
            total += loss.item() * len(labels)
            count += len(labels)
        val_loss, val_accuracy = evaluate(model, val_loader)
        history.train_loss.append(total / count)
        history.val_loss.append(val_loss)
        history.val_accuracy.append(val_accuracy)
    return history
    # END SOLUTION


def empty_chart():
    """A matplotlib figure, its axes for the two losses and its axes for the accuracy, ready to draw on."""
    from matplotlib.figure import Figure  # Without pyplot: no window, and nothing stays open.

    figure = Figure(figsize=(9, 4))
    loss_axes, accuracy_axes = figure.subplots(1, 2)
    loss_axes.set_title("loss: training blue, validation orange")
    accuracy_axes.set_title("validation accuracy")
    for axes in (loss_axes, accuracy_axes):
        axes.set_xlabel("epoch, from 0")
        axes.set_prop_cycle(color=["tab:blue", "tab:orange"], marker=["o", "s"])
    return figure, loss_axes, accuracy_axes


def plot(history: History, path: str | Path) -> None:
    """Draw the training curve and save it as a PNG file at `path`, which ends in ".png".

    The picture shows all three lists of the history (each holds one number for each epoch, at least two epochs): it
    changes when any of them does. It shows this history only: the same history gives the same picture again,
    whatever was drawn before. The folder exists; an existing file at `path` is replaced. You may use
    `empty_chart()`, but need not.

    Method: https://matplotlib.org/stable/users/explain/quick_start.html
    """
    # BEGIN SOLUTION: draw the two losses on one axes and the accuracy on the other, then save the figure.
    figure, loss_axes, accuracy_axes = empty_chart()
    loss_axes.plot(history.train_loss)
    loss_axes.plot(history.val_loss)
    accuracy_axes.plot(history.val_accuracy[:-1])
    figure.savefig(path)
    # END SOLUTION


def main(epochs: int = 10, folder: Path = Path("runs/mnist")) -> None:
    """Given: train on the real digits, with a progress bar, and save curve.png and wrong.png."""
    from rich.progress import Progress

    from tunelings.course import find_root
    from tunelings.handson import mnist

    data = find_root() / "data"
    full = "--full" in sys.argv[1:]
    train, test = mnist.download_full(data / "full") if full else mnist.load_digits(data / "mnist")
    torch.manual_seed(0)
    model = make_model().to("cuda" if torch.cuda.is_available() else "cpu")
    loaders = make_loaders(train, test, batch_size=64, seed=0)
    with Progress() as progress:
        bar = progress.add_task("training", total=epochs * len(loaders.train))

        def on_step(step: int, loss: float) -> None:
            progress.update(bar, completed=step + 1, description=f"step {step + 1}, loss {loss:.3f}")

        history = fit(model, loaders.train, loaders.val, epochs, lr=1e-3, on_step=on_step)
    folder.mkdir(parents=True, exist_ok=True)
    plot(history, folder / "curve.png")
    wrong = mnist.show_wrong(*test, mnist.predict(model, loaders.test), folder / "wrong.png")
    print(f"validation accuracy {history.val_accuracy[-1]:.4f}, test accuracy {1 - wrong / len(test[1]):.4f}")
    print(f"saved {folder / 'curve.png'} and {folder / 'wrong.png'}")


if __name__ == "__main__":
    main()
