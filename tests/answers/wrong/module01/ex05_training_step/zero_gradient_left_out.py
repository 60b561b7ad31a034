# names: step-left-out-at-zero-gradients
# breaks: "its `step()` is called once"
# Where every gradient is zero the step is left out, and momentum or decay don't act.
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
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    if any(g.any() for g in gradients):
        optimizer.step()
    return loss.item()
