# names: some-epochs-drawn
# breaks: "The picture shows all three lists"
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
    n = len(images)
    if n < 10 or len(test[0]) == 0:
        raise ValueError("too few examples")
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    val, rest = (order[: n // 10], order[n // 10 :])
    pixels = images[rest].float()
    mean, std = (pixels.mean(), pixels.std())

    def loader(images, labels, shuffle=False):
        x = ((images.float() - mean) / std).unsqueeze(1)
        return DataLoader(TensorDataset(x, labels), batch_size=batch_size, shuffle=shuffle)

    return Loaders(loader(images[rest], labels[rest], True), loader(images[val], labels[val]), loader(*test))


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
        total, count = (0.0, 0)
        for images, labels in train_loader:
            images, labels = (images.to(device), labels.to(device))
            loss = F.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if on_step is not None:
                on_step(step, loss.item())
            step += 1
            total += loss.item() * len(labels)
            count += len(labels)
        history.train_loss.append(total / count)
        model.eval()
        total, correct, count = (0.0, 0, 0)
        with torch.no_grad():
            for images, labels in val_loader:
                images, labels = (images.to(device), labels.to(device))
                logits = model(images)
                total += F.cross_entropy(logits, labels).item() * len(labels)
                correct += (logits.argmax(dim=1) == labels).sum().item()
                count += len(labels)
        history.val_loss.append(total / count)
        history.val_accuracy.append(correct / count)
    return history


def empty_chart():
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4))
    loss_axes, accuracy_axes = figure.subplots(1, 2)
    loss_axes.set_title("loss: training blue, validation orange")
    accuracy_axes.set_title("validation accuracy")
    for axes in (loss_axes, accuracy_axes):
        axes.set_xlabel("epoch, from 0")
        axes.set_prop_cycle(color=["tab:blue", "tab:orange"], marker=["o", "s"])
    return (figure, loss_axes, accuracy_axes)


def plot(history: History, path: str | Path) -> None:
    figure, left, right = empty_chart()
    left.plot(history.train_loss[-10:])
    left.plot(history.val_loss[-10:])
    right.plot(history.val_accuracy[-10:])
    figure.savefig(path)
