"""1.06 · Evaluate: measure a model on data that it doesn't learn from.

Average over the examples with dropout off, BatchNorm fixed and no graph, and leave the model as you found it.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Metrics(NamedTuple):
    """Means over all examples: the loss, and the share of correct answers, from 0 to 1."""

    loss: float
    accuracy: float


def evaluate(
    model: nn.Module,
    loader: Iterable[tuple[Tensor, Tensor]],
    loss_fn: Callable[[Tensor, Tensor], Tensor],
) -> Metrics:
    """Measure the model's loss and accuracy on all examples of `loader`.

    Args:
        model: maps `inputs` to one score for each class, `[N, C]`. It may arrive in train or in eval mode, with
            some of its submodules in a different mode from the rest (a frozen BatchNorm).
        loader: any iterable of `(inputs, targets)`, targets int64 `[N]`; the batches may differ in size.
            It is read once, may be a generator, and may have no length.
        loss_fn: `loss_fn(outputs, targets)` returns the mean loss over the batch, as a scalar tensor.

    Returns:
        `loss`, the mean over all examples (not over batches), and `accuracy`, the share of examples whose
        largest score is that of the target; both Python floats in fields of these names.

    Raises:
        ValueError: `loader` yields nothing.

    While the model runs, all submodules are in eval mode and no graph is built. On return, the `training` flag of
    each submodule is what it was on entry, and so is torch's grad mode. Parameters, the content of their `.grad`,
    buffers, inputs and targets are not changed.

    Method: https://docs.pytorch.org/docs/stable/notes/autograd.html#locally-disabling-gradient-computation
    """
    # BEGIN SOLUTION: eval mode, sums over the examples without a graph, restore every mode, means.
    modes = {module: module.training for module in model.modules()}
    model.eval()
    total_loss, correct, count = 0.0, 0, 0
    try:
        with torch.no_grad():
            for inputs, targets in loader:
                outputs = model(inputs)
                total_loss += loss_fn(outputs, targets).item() * len(targets)
                correct += (outputs.argmax(dim=1) == targets).sum().item()
                count += len(targets)
    finally:
        for module, mode in modes.items():
            module.training = mode
    if count == 0:
        raise ValueError("loader is empty: there is nothing to evaluate")
    return Metrics(total_loss / count, correct / count)
    # END SOLUTION
