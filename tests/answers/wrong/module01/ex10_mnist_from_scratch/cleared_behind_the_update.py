# names: cleared-behind-the-update
# breaks: "each training batch goes through it once, in the order of the loader, and makes one update"
# Clears the gradients behind each update: those from before the call go into the first.

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
    train_loss: list[float]
    val_loss: list[float]
    val_accuracy: list[float]


def make_model() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def make_loaders(train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], batch_size: int, seed: int) -> Loaders:
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


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> tuple[float, float]:
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


def fit(
    model: nn.Module,
    train_loader: DataLoader,
    val_loader: DataLoader,
    epochs: int,
    lr: float,
    *,
    on_step: Callable[[int, float], None] | None = None,
) -> History:
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
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
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


def empty_chart():
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
    figure, loss_axes, accuracy_axes = empty_chart()
    loss_axes.plot(history.train_loss)
    loss_axes.plot(history.val_loss)
    accuracy_axes.plot(history.val_accuracy)
    figure.savefig(path)


def main(epochs: int = 10, folder: Path = Path("runs/mnist")) -> None:
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
