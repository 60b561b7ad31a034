"""random_split, a Dataset of its own, a module class, inference_mode, pyplot."""

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split


class Loaders:
    def __init__(self, train, val, test):
        self.train, self.val, self.test = train, val, test


class History:
    def __init__(self, train_loss=None, val_loss=None, val_accuracy=None):
        self.train_loss = train_loss or []
        self.val_loss = val_loss or []
        self.val_accuracy = val_accuracy or []


class Digits(Dataset):
    def __init__(self, images, labels, mean, std):
        self.images, self.labels, self.mean, self.std = images, labels, mean, std

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return ((self.images[i].to(torch.float32) / 255 - self.mean) / self.std)[None], self.labels[i]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(28 * 28, 100)
        self.out = nn.Linear(100, 10)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x.reshape(x.shape[0], -1))))


def make_model():
    return Net()


def make_loaders(train, test, batch_size, seed):
    images, labels = train
    if len(images) < 10:
        raise ValueError(f"{len(images)} training digits: at least 10 are needed")
    if not len(test[1]):
        raise ValueError("no test digits")
    rest, val = random_split(range(len(images)), [0.9, 0.1], generator=torch.Generator().manual_seed(seed))
    rest, val = list(rest), list(val)
    pixels = images[rest].double() / 255
    mean, std = pixels.mean().item(), pixels.std(correction=0).item()
    return Loaders(
        DataLoader(Digits(images[rest], labels[rest], mean, std), batch_size=batch_size, shuffle=True),
        DataLoader(Digits(images[val], labels[val], mean, std), batch_size=batch_size),
        DataLoader(Digits(*test, mean, std), batch_size=batch_size),
    )


def fit(model, train_loader, val_loader, epochs, lr, *, on_step=None):
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr)
    device = next(iter(model.parameters())).device
    history = History()
    steps = 0
    for _epoch in range(epochs):
        model.train()
        losses, sizes = [], []
        for batch in train_loader:
            x, y = (part.to(device) for part in batch)
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            if on_step:
                on_step(steps, loss.item())
            optimizer.step()
            steps += 1
            losses.append(loss.item())
            sizes.append(x.shape[0])
        history.train_loss.append(sum(a * b for a, b in zip(losses, sizes, strict=True)) / sum(sizes))
        model.eval()
        with torch.inference_mode():
            scored = [(model(x.to(device)), y.to(device)) for x, y in val_loader]
        outputs = torch.cat([s for s, _ in scored])
        targets = torch.cat([y for _, y in scored])
        history.val_loss.append(float(loss_fn(outputs, targets)))
        history.val_accuracy.append(float((outputs.max(1).indices == targets).double().mean()))
    return history


def plot(history, path):
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots()
    ax.plot(history.train_loss, label="train")
    ax.plot(history.val_loss, label="val")
    right = ax.twinx()
    right.plot(history.val_accuracy, "k--")
    ax.legend()
    fig.savefig(str(path))
    plt.close(fig)
