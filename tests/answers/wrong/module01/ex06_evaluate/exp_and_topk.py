# names: exp-of-the-scores
# breaks: "the share of examples whose largest score is that of the target"

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
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    loss, correct, n = 0.0, 0, 0
    with torch.no_grad():
        for inputs, targets in loader:
            log_ps = model(inputs)
            loss += loss_fn(log_ps, targets).item() * len(targets)
            ps = torch.exp(log_ps)
            top_p, top_class = ps.topk(1, dim=1)
            equals = top_class == targets.view(*top_class.shape)
            correct += int(equals.sum())
            n += len(targets)
    for module, mode in modes:
        module.training = mode
    if n == 0:
        raise ValueError("the loader yields nothing")
    return Metrics(loss / n, correct / n)
