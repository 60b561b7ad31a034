# names: val-by-position
# breaks: "the same seed gives the same part, and another seed gives another"
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Loaders(NamedTuple):
    train: DataLoader
    val: DataLoader
    test: DataLoader


class History(NamedTuple):
    train_loss: list
    val_loss: list
    val_accuracy: list


def make_model():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def make_loaders(train, test, batch_size, seed):
    images, labels = train
    n = len(images)
    if n < 10 or len(test[0]) == 0:
        raise ValueError(f"{n} training and {len(test[0])} test examples")
    chosen = torch.arange(n) % 10 == seed % 10
    held, kept = chosen.nonzero()[:, 0], (~chosen).nonzero()[:, 0]
    pixels = images[kept].double()
    mean, std = pixels.mean(), pixels.std()

    def dataset(images, labels):
        return TensorDataset(((images.double() - mean) / std).float().unsqueeze(1), labels)

    return Loaders(
        DataLoader(dataset(images[kept], labels[kept]), batch_size, shuffle=True),
        DataLoader(dataset(images[held], labels[held]), batch_size),
        DataLoader(dataset(*test), batch_size),
    )


def fit(model, train_loader, val_loader, epochs, lr, *, on_step=None):
    device = next(model.parameters()).device
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = History([], [], [])
    step = 0
    for _ in range(epochs):
        model.train()
        total, seen = 0.0, 0
        for images, labels in train_loader:
            loss = F.cross_entropy(model(images.to(device)), labels.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if on_step is not None:
                on_step(step, loss.item())
            step += 1
            total += loss.item() * len(labels)
            seen += len(labels)
        history.train_loss.append(total / seen)
        model.eval()
        total, right, seen = 0.0, 0, 0
        with torch.no_grad():
            for images, labels in val_loader:
                images, labels = images.to(device), labels.to(device)
                logits = model(images)
                total += F.cross_entropy(logits, labels, reduction="sum").item()
                right += (logits.argmax(1) == labels).sum().item()
                seen += len(labels)
        history.val_loss.append(total / seen)
        history.val_accuracy.append(right / seen)
    return history


def plot(history, path):
    from matplotlib.figure import Figure

    figure = Figure()
    for axes, values in zip(figure.subplots(3), history, strict=True):
        axes.plot(values)
    figure.savefig(path)
