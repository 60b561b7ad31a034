"""1.05 · Training step: update the weights once, from one batch.

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
    """Train the model on one batch and return the loss of this batch before the update.

    Args:
        model: any module that maps `inputs`, of any shape and dtype, to outputs. It may arrive in train or in eval
            mode.
        batch: `(inputs, targets)`; neither is changed.
        loss_fn: called once, as `loss_fn(model(inputs), targets)`; returns a scalar tensor.
        optimizer: makes the update, with its own settings and memory; its `step()` is called once. It holds only
            parameters of the model, and every one that needs a gradient; a parameter that needs none keeps its
            value.

    Returns:
        The loss before the update, as a Python float.

    The model and all its submodules are in train mode while it runs, and stay so. It runs forward exactly once. Its
    hooks run. Whatever is in `.grad` on entry, from the previous step or from elsewhere, has no effect on the update;
    what is there on return is not promised.

    Method: https://docs.pytorch.org/tutorials/beginner/basics/optimization_tutorial.html
    """
    # TODO: train mode, clear the gradients, forward, loss, backward, update.
    raise NotImplementedError("TODO")
