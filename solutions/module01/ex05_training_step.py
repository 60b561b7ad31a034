"""1.05 · Training step: one batch moves the weights once.

Forward, loss, backward, update: everything else in training is built around these four lines.
"""

from collections.abc import Callable

from torch import Tensor, nn
from torch.optim import Optimizer


def training_step(
    model: nn.Module,
    batch: tuple[Tensor, Tensor],
    loss_fn: Callable[[Tensor, Tensor], Tensor],
    optimizer: Optimizer,
) -> float:
    """Train the model on one batch and return the loss that this batch had before the update.

    Args:
        model: any module that maps `inputs` to outputs.
        batch: `(inputs, targets)`.
        loss_fn: called once, as `loss_fn(model(inputs), targets)`; returns a scalar tensor.
        optimizer: holds the model's parameters; its `step()` is called once.

    Returns:
        The loss before the update, as a Python float.

    The model is put in train mode and left there, and runs forward exactly once. Whatever stands in
    `.grad` on entry has no effect on the update; what stands there on return is not promised.

    Method: https://docs.pytorch.org/tutorials/beginner/basics/optimization_tutorial.html
    """
    # BEGIN SOLUTION: train mode, clear the gradients, forward, loss, backward, update.
    inputs, targets = batch
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss.item()
    # END SOLUTION
