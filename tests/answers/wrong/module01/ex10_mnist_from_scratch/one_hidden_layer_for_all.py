# names: model-shared
# breaks: "two models share nothing"
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

HIDDEN = nn.Linear(784, 128)


class Loaders(NamedTuple):
    train: DataLoader
    val: DataLoader
    test: DataLoader


class History(NamedTuple):
    train_loss: list[float]
    val_loss: list[float]
    val_accuracy: list[float]


def make_model():
    return nn.Sequential(nn.Flatten(), HIDDEN, nn.ReLU(), nn.Linear(128, 10))


def make_loaders(train, test, batch_size, seed):
    (images, labels), (test_images, test_labels) = (train, test)
    if len(images) < 10:
        raise ValueError("fewer than 10 training examples")
    if len(test_images) == 0:
        raise ValueError("no test example")
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    size = len(images) // 10
    val_index, train_index = (order[:size], order[size:])
    pixels = images[train_index].float()
    mean, std = (pixels.mean(), pixels.std())

    def dataset(images, labels):
        return TensorDataset((images.float().unsqueeze(1) - mean) / std, labels)

    return Loaders(
        DataLoader(dataset(images[train_index], labels[train_index]), batch_size, shuffle=True),
        DataLoader(dataset(images[val_index], labels[val_index]), batch_size),
        DataLoader(dataset(test_images, test_labels), batch_size),
    )


def fit(model, train_loader, val_loader, epochs, lr, *, on_step=None):
    device = next(model.parameters()).device
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = History([], [], [])
    step = 0
    for epoch in range(epochs):
        model.train()
        total, count = (0.0, 0)
        for images, labels in train_loader:
            images, labels = (images.to(device), labels.to(device))
            optimizer.zero_grad()
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            if on_step is not None:
                on_step(step, loss.item())
            step += 1
            total += loss.item() * len(labels)
            count += len(labels)
        history.train_loss.append(total / count)
        model.eval()
        total, right, count = (0.0, 0, 0)
        with torch.no_grad():
            for images, labels in val_loader:
                images, labels = (images.to(device), labels.to(device))
                logits = model(images)
                total += F.cross_entropy(logits, labels, reduction="sum").item()
                right += (logits.argmax(1) == labels).sum().item()
                count += len(labels)
        history.val_loss.append(total / count)
        history.val_accuracy.append(right / count)
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


def plot(history, path):
    figure, loss_axes, accuracy_axes = empty_chart()
    loss_axes.plot(history.train_loss)
    loss_axes.plot(history.val_loss)
    accuracy_axes.plot(history.val_accuracy)
    figure.savefig(path)
