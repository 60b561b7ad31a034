# names: uncounted-skipped
# breaks: "how many micro-batches make a group"
# A micro-batch without losses is skipped and not counted as one of the group: groups shift.
from collections.abc import Callable

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

    losses, total, n, pieces = [], 0.0, 0, 0
    optimizer.zero_grad()

    def update():
        for p in model.parameters():
            if p.grad is not None:
                p.grad.div_(n)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(total / n)

    for inputs, targets in loader:
        loss, count = loss_fn(model(inputs), targets)
        if count == 0:
            continue
        loss.backward()
        total, n, pieces = total + loss.item(), n + count, pieces + 1
        if pieces == accumulation_steps:
            update()
            total, n, pieces = 0.0, 0, 0
    if pieces:
        update()
    return losses
