# names: zero-loss-skipped
# breaks: "A group whose count is 0 makes no update and adds"
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
    batches = iter(loader)
    while group := list(islice(batches, accumulation_steps)):
        optimizer.zero_grad()
        total, count = (0.0, 0)
        for inputs, targets in group:
            loss, n = loss_fn(model(inputs), targets)
            loss.backward()
            total += loss.item()
            count += n
        if total == 0:
            continue
        for p in model.parameters():
            if p.grad is not None:
                p.grad /= count
        optimizer.step()
        losses.append(total / count)
    return losses
