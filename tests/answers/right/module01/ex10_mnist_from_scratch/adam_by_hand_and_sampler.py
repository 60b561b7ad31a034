"""Adam written out, batches by a sampler and a collate function, a convolution in the model."""

from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, RandomSampler, Subset, TensorDataset

History = SimpleNamespace


def make_model():
    model = nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.1),
        nn.Linear(8 * 12 * 12, 64),
        nn.GELU(),
        nn.Linear(64, 10),
    )
    nn.init.zeros_(model[-1].weight)
    nn.init.zeros_(model[-1].bias)
    return model


def make_loaders(train, test, batch_size, seed):
    n, n_test = len(train[0]), len(test[0])
    if n < 10 or n_test < 1:
        raise ValueError(f"need 10 training digits and a test digit, got {n} and {n_test}")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        chosen = torch.zeros(n, dtype=torch.bool)
        chosen[torch.randperm(n)[: -(-n // 10)]] = True
    pixels = train[0][~chosen].double()
    mean = pixels.sum() / pixels.numel()
    std = ((pixels - mean) ** 2).mean().sqrt()

    def collate(rows):
        images = torch.stack([image for image, _ in rows]).unsqueeze(1)
        return ((images - mean) / std).float(), torch.stack([label for _, label in rows])

    whole = TensorDataset(*train)
    rest = Subset(whole, (~chosen).nonzero().flatten().tolist())
    val = Subset(whole, chosen.nonzero().flatten().tolist())
    options = {"batch_size": batch_size, "collate_fn": collate}
    return SimpleNamespace(
        train=DataLoader(rest, sampler=RandomSampler(rest), **options),
        val=DataLoader(val, **options),
        test=DataLoader(TensorDataset(*test), **options),
    )


def fit(model, train_loader, val_loader, epochs, lr, *, on_step=None):
    parameters = [p for p in model.parameters() if p.requires_grad]
    m = [torch.zeros_like(p) for p in parameters]
    v = [torch.zeros_like(p) for p in parameters]
    history, t = SimpleNamespace(train_loss=[], val_loss=[], val_accuracy=[]), 0
    for _ in range(epochs):
        model.train()
        loss_sum = torch.zeros((), dtype=torch.float64)
        seen = 0
        for x, y in train_loader:
            x, y = x.to(parameters[0]), y.to(parameters[0].device)
            loss = -F.log_softmax(model(x), dim=-1).gather(1, y[:, None]).mean()
            grads = torch.autograd.grad(loss, parameters)
            if on_step is not None:
                on_step(t, loss.item())
            t += 1
            with torch.no_grad():
                for p, g, a, b in zip(parameters, grads, m, v, strict=True):
                    a.mul_(0.9).add_(0.1 * g)
                    b.mul_(0.999).addcmul_(g, g, value=0.001)
                    p -= lr * (a / (1 - 0.9**t)) / ((b / (1 - 0.999**t)).sqrt() + 1e-8)
            loss_sum += loss.detach().double() * len(y)
            seen += len(y)
        history.train_loss += [loss_sum.item() / seen]
        was = model.training
        model.train(False)
        loss_sum, right, seen = 0.0, 0, 0
        with torch.no_grad():
            for x, y in val_loader:
                x, y = x.to(parameters[0]), y.to(parameters[0].device)
                z = model(x)
                loss_sum += (z.logsumexp(1) - z[torch.arange(len(y)), y]).sum().item()
                right += int((z.argmax(-1) == y).sum())
                seen += len(y)
        model.train(was)
        history.val_loss += [loss_sum / seen]
        history.val_accuracy += [right / seen]
    return history


def plot(history, path):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(dpi=70)
    FigureCanvasAgg(figure)
    for row, name in enumerate(("train_loss", "val_loss", "val_accuracy")):
        axes = figure.add_subplot(3, 1, row + 1)
        axes.bar(range(len(getattr(history, name))), getattr(history, name))
        axes.set_ylabel(name)
    with open(path, "wb") as file:
        figure.savefig(file, format="png")
