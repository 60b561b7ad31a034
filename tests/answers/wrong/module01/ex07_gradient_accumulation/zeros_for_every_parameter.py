# names: zeros-in-place-of-none
# breaks: "A parameter without a gradient (a frozen one) does not change"
# Every parameter gets a .grad of zeros: weight decay then moves the frozen ones.
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
        for p in model.parameters():
            p.grad = p.detach().clone().zero_()
        total, n = 0.0, 0
        for inputs, targets in group:
            loss, count = loss_fn(model(inputs), targets)
            loss.backward()
            total += loss.item()
            n += count
        if n == 0:
            continue
        for p in model.parameters():
            p.grad.div_(n)
        optimizer.step()
        losses.append(total / n)
    return losses
