"""1.08 · Device and precision: one training step on any device, with a forward pass in 16 bits."""

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
    """Train the model on one batch in mixed precision.

    Args:
        model: float32, already on `device`, in train mode; maps `inputs` to one output tensor.
        batch: `(inputs, targets)`, on any device. Both are moved to `device` with their method `.to`; the given
            tensors are not changed.
        loss_fn: called as `loss_fn(outputs, targets)`, with the model's outputs cast to float32 (`outputs.float()`);
            returns a scalar tensor.
        optimizer: holds the model's parameters.
        device: a name such as "cuda", "cuda:0" or "cpu", or a `torch.device`.
        dtype: the low precision of autocast, `torch.bfloat16` or `torch.float16`.
        scaler: a `torch.amp.GradScaler`, or any object with its methods `scale`, `unscale_`, `step` (which
            calls `optimizer.step()`, unless a gradient overflowed) and `update`; only these are called,
            each once and in this order, with `unscale_` before the clipping. None: no loss scaling.
        max_norm: at the update, a larger norm of all gradients together is scaled down to it (`clip_grad_norm_`).

    Returns:
        The loss before the update, as a Python float, without the scaler's factor.

    The forward runs under `torch.autocast` for the type of `device`; `backward` runs outside of it. Parameters stay
    float32. Whatever is in `.grad` on entry has no effect.

    Method: https://docs.pytorch.org/docs/stable/notes/amp_examples.html
    """
    # TODO: move, clear, forward under autocast, loss in float32, backward, clip, update.
    raise NotImplementedError("TODO")
