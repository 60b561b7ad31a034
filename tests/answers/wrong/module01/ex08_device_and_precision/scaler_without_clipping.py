# names: clip-after-step
# breaks: "a larger norm of all gradients together is scaled down to it"
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer


def autocast_step(
    model: nn.Module,
    batch: tuple[Tensor, Tensor],
    loss_fn: Callable[[Tensor, Tensor], Tensor],
    optimizer: Optimizer,
    *,
    device: str | torch.device,
    dtype: torch.dtype = torch.bfloat16,
    scaler: Any | None = None,
    max_norm: float = 1.0,
) -> float:
    device = torch.device(device)
    inputs, targets = batch
    inputs, targets = (inputs.to(device), targets.to(device))
    optimizer.zero_grad()
    with torch.autocast(device_type=device.type, dtype=dtype):
        outputs = model(inputs)
    loss = loss_fn(outputs.float(), targets)
    if scaler is None:
        loss.backward()
        clip_grad_norm_(model.parameters(), max_norm)
        optimizer.step()
    else:
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    return loss.item()
