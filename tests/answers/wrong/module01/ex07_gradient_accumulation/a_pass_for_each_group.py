# names: islice-of-the-loader
# breaks: "Train the model on one pass over the loader"

from collections.abc import Callable
from itertools import islice

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    loss_fn: Callable[[Tensor, Tensor], tuple[Tensor, int]],
    optimizer: Optimizer,
    accumulation_steps: int,
) -> list[float]:
    if accumulation_steps < 1:
        raise ValueError(f"accumulation_steps is {accumulation_steps}, below 1")

    losses = []
    for start in range(0, len(loader), accumulation_steps):
        optimizer.zero_grad()
        total, count = 0.0, 0
        for inputs, targets in islice(loader, start, start + accumulation_steps):
            loss, n = loss_fn(model(inputs), targets)
            loss.backward()
            total, count = total + loss.item(), count + n
        if count == 0:
            continue
        for p in model.parameters():
            if p.grad is not None:
                p.grad.div_(count)
        optimizer.step()
        losses.append(total / count)
    return losses
