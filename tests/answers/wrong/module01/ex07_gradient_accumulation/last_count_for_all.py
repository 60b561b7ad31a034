# names: accum-full-count
# breaks: "`step()` sees the gradient of the group's sum divided by the group's count"
# The count is that of the last micro-batch times the size of the group, not the sum of counts.
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
        raise ValueError(f"accumulation_steps must be at least 1, got {accumulation_steps}")

    losses = []
    iterator = iter(loader)
    while group := list(islice(iterator, accumulation_steps)):
        optimizer.zero_grad()
        total = 0.0
        for inputs, targets in group:
            loss, count = loss_fn(model(inputs), targets)
            loss.backward()
            total += loss.item()
        n = count * len(group)
        if n == 0:
            continue
        for p in model.parameters():
            if p.grad is not None:
                p.grad /= n
        optimizer.step()
        losses.append(total / n)
    return losses
