# names: autocast
# breaks: "Each update is the one that a single big batch"
# A float32 model: its forward pass is rounded to bfloat16.
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
        raise ValueError(f"accumulation_steps must be at least 1, got {accumulation_steps}")
    losses, micro_batches = [], iter(loader)
    while group := list(islice(micro_batches, accumulation_steps)):
        optimizer.zero_grad()
        group_sum, group_count = 0.0, 0
        for inputs, targets in group:
            with torch.autocast(inputs.device.type, dtype=torch.bfloat16):
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
