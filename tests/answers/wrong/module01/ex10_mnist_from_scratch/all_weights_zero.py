# names: weights-all-alike
# breaks: "it gets at least 91.8% of the test digits right"
from collections import namedtuple

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

Loaders = namedtuple("Loaders", "train val test")
History = namedtuple("History", "train_loss val_loss val_accuracy")


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 100)
        self.fc2 = nn.Linear(100, 10)

    def forward(self, x):
        x = x.view(x.size(0), -1)
        x = torch.relu(self.fc1(x))
        return self.fc2(x)


def make_model():
    model = MLP()
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    return model


def make_loaders(train, test, batch_size, seed):
    x, y = train
    if len(x) < 10 or len(test[0]) == 0:
        raise ValueError(f"got {len(x)} and {len(test[0])} digits")
    perm = np.random.RandomState(seed).permutation(len(x))
    n_val = len(x) // 10
    x_val, y_val = x[perm[:n_val]].float(), y[perm[:n_val]]
    x_train, y_train = x[perm[n_val:]].float(), y[perm[n_val:]]
    x_test, y_test = test[0].float(), test[1]
    mean, std = x_train.mean(), x_train.std()
    x_train = (x_train - mean) / std
    x_val = (x_val - mean) / std
    x_test = (x_test - mean) / std
    train_set = TensorDataset(x_train[:, None], y_train)
    val_set = TensorDataset(x_val[:, None], y_val)
    test_set = TensorDataset(x_test[:, None], y_test)
    return Loaders(
        DataLoader(train_set, batch_size=batch_size, shuffle=True),
        DataLoader(val_set, batch_size=batch_size),
        DataLoader(test_set, batch_size=batch_size),
    )


def fit(model, train_loader, val_loader, epochs, lr, *, on_step=None):
    criterion = nn.CrossEntropyLoss()
    device = next(model.parameters()).device
    opt = torch.optim.Adam(model.parameters(), lr=lr)
    train_losses, val_losses, accuracies = [], [], []
    n = 0
    for _ in range(epochs):
        model.train()
        running, seen = 0.0, 0
        for x, y in train_loader:
            x = x.to(device)
            y = y.to(device)
            opt.zero_grad()
            out = model(x)
            loss = criterion(out, y)
            loss.backward()
            opt.step()
            running += loss.item() * x.size(0)
            seen += len(y)
            if on_step:
                on_step(n, loss.item())
            n += 1
        train_losses.append(running / seen)

        model.eval()
        val_loss, correct, shown = 0.0, 0, 0
        with torch.no_grad():
            for x, y in val_loader:
                x = x.to(device)
                y = y.to(device)
                out = model(x)
                val_loss += criterion(out, y).item() * x.size(0)
                shown += len(y)
                correct += (out.argmax(dim=1) == y).sum().item()
        val_losses.append(val_loss / shown)
        accuracies.append(correct / shown)
    return History(train_losses, val_losses, accuracies)


def plot(history, path):
    import matplotlib.pyplot as plt

    plt.figure()
    plt.subplot(1, 2, 1)
    plt.plot(history.train_loss)
    plt.plot(history.val_loss)
    plt.subplot(1, 2, 2)
    plt.plot(history.val_accuracy)
    plt.savefig(path)
    plt.close()
