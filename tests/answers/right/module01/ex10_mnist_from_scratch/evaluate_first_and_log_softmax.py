"""Log-probabilities as outputs, loaders through indices, losses kept as tensors, a drawing by hand."""

import random
from typing import NamedTuple

import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import nn
from torch.utils.data import DataLoader


class Loaders(NamedTuple):
    train: DataLoader
    val: DataLoader
    test: DataLoader


class History(NamedTuple):
    train_loss: list
    val_loss: list
    val_accuracy: list


def make_model():
    return nn.Sequential(
        nn.Flatten(1), nn.Linear(784, 150), nn.LayerNorm(150), nn.Tanh(), nn.Linear(150, 10), nn.LogSoftmax(dim=-1)
    )


def make_loaders(train, test, batch_size, seed):
    images, labels = train
    for name, part, least in (("training", images, 10), ("test", test[0], 1)):
        if len(part) < least:
            raise ValueError(f"{len(part)} {name} digits, and {least} are needed")
    in_val = sorted(random.Random(seed).sample(range(len(images)), round(len(images) / 10)))
    in_train = sorted(set(range(len(images))) - set(in_val))
    x = images[in_train].to(torch.float32)
    mean, std = x.mean(), x.std()

    def rows(x, y):
        return [(((a.float() - mean) / std).view(1, 28, 28), b) for a, b in zip(x, y, strict=True)]

    return Loaders(
        DataLoader(rows(images[in_train], labels[in_train]), batch_size, True),
        DataLoader(rows(images[in_val], labels[in_val]), batch_size, False),
        DataLoader(rows(*test), batch_size, False),
    )


def run(model, loader, optimizer=None, done=None):
    """One pass; with an optimizer it trains. Loss and accuracy for each example."""
    model.train(optimizer is not None)
    device = next(model.parameters()).device
    losses, hits = [], []
    with torch.set_grad_enabled(optimizer is not None):
        for x, y in loader:
            y = y.to(device=device)
            log_p = F.log_softmax(model(x.to(device=device)), 1)
            each = F.nll_loss(log_p, y, reduction="none")
            if optimizer is not None:
                loss = each.mean()
                loss.backward()
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
                done(loss.item())
            losses += each.tolist()
            hits += (log_p.argmax(1) == y).tolist()
    return sum(losses) / len(losses), sum(hits) / len(hits)


def fit(model, train_loader, val_loader, epochs, lr, *, on_step=None):
    model.zero_grad()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.999), eps=1e-8)
    calls = []

    def done(loss):
        if on_step:
            on_step(len(calls), loss)
        calls.append(loss)

    train, val, accuracy = [], [], []
    for _ in range(epochs):
        train.append(run(model, train_loader, optimizer, done)[0])
        loss, right = run(model, val_loader)
        val.append(loss)
        accuracy.append(right)
    return History(train, val, accuracy)


def plot(history, path):
    picture = Image.new("RGB", (400, 300), "white")
    draw = ImageDraw.Draw(picture)
    for values, color in zip(
        (history.train_loss, history.val_loss, history.val_accuracy), ("red", "blue", "green"), strict=True
    ):
        top = max(values)
        points = [(20 + 360 * i / (len(values) - 1), 290 - 280 * value / top) for i, value in enumerate(values)]
        draw.line(points, fill=color, width=2)
    picture.save(path)
