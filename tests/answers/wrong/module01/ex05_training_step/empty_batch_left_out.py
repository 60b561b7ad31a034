# names: empty-batch-left-out
# breaks: "of any shape and dtype"
# A batch of no rows is left out, and momentum doesn't act.
from collections.abc import Callable

from torch import Tensor, nn
from torch.optim import Optimizer


def training_step(
    model: nn.Module,
    batch: tuple[Tensor, Tensor],
    loss_fn: Callable[[Tensor, Tensor], Tensor],
    optimizer: Optimizer,
) -> float:
    inputs, targets = batch
    model.train()
    if inputs.numel() == 0:
        return 0.0
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss.item()
