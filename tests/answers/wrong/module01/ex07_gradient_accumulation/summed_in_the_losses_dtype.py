# names: summed-in-half-precision
# breaks: "the sum of the group's losses divided by the sum of its counts"

from collections.abc import Callable
from itertools import islice

import torch
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
    batches = iter(loader)
    while group := list(islice(batches, accumulation_steps)):
        optimizer.zero_grad()
        sums, counts = [], []
        for inputs, targets in group:
            loss, n = loss_fn(model(inputs), targets)
            loss.backward()
            sums.append(loss.detach())
            counts.append(n)
        count = sum(counts)
        if count == 0:
            continue
        for p in model.parameters():
            if p.grad is not None:
                p.grad.div_(count)
        optimizer.step()
        losses.append((torch.stack(sums).sum() / count).item())
    return losses
