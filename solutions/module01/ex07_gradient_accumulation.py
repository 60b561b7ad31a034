"""1.07 · Gradient accumulation: train on a big batch in pieces that fit into memory.

Run backward after each piece, divide once by what the group counted, and update once for the whole group.
"""

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
    """Train the model on one pass over the loader, with one update for each group of micro-batches.

    Args:
        model: maps `inputs` to outputs; it comes in train mode.
        loader: yields micro-batches `(inputs, targets)`, which need not be of equal size; it has a length and may be
            empty.
        loss_fn: called as `loss_fn(model(inputs), targets)`; returns the **sum** of the losses (a scalar tensor)
            and how many losses were summed (an int, which may be 0 if all targets are ignored).
        optimizer: holds the model's parameters.
        accumulation_steps: how many micro-batches make a group; the last group may hold fewer.

    Returns:
        One Python float for each update, in order: the sum of the group's losses divided by the sum of its
        counts, before that update. An empty loader gives `[]`.

    Raises:
        ValueError: `accumulation_steps` is below 1; the message contains the value.

    Each update is the one that a single big batch of the whole group would give: `step()` sees the gradient of the
    group's sum divided by the group's count. Each micro-batch runs forward once, and `backward` runs for it before
    the next forward, so that only one graph is alive at a time. A group whose count is 0 makes no update and adds
    no entry. Whatever is in `.grad` on entry has no effect; what is there on return is not promised. A parameter
    without a gradient (a frozen one) does not change. Inputs and targets are not changed.

    Method: https://huggingface.co/blog/gradient_accumulation
    """
    # BEGIN SOLUTION: for each group: clear, add up gradients, divide by the group's count, update.
    if accumulation_steps < 1:
        raise ValueError(f"accumulation_steps must be at least 1, got {accumulation_steps}")
    losses, micro_batches = [], iter(loader)
    while group := list(islice(micro_batches, accumulation_steps)):
        optimizer.zero_grad()
        group_sum, group_count = 0.0, 0
        for inputs, targets in group:
            loss_sum, count = loss_fn(model(inputs), targets)
            loss_sum.backward()
            group_sum += loss_sum.item()
            group_count += count
        if group_count > 0:
            for parameter in model.parameters():
                if parameter.grad is not None:
                    parameter.grad /= group_count
            optimizer.step()
            losses.append(group_sum / group_count)
    return losses
    # END SOLUTION
