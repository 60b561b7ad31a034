# names: unlisted
# breaks: "loss_fn(model(inputs), targets)"
# A model with several outputs: loss_fn gets the first one alone.
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
    outputs = model(inputs)
    if isinstance(outputs, tuple | list):
        outputs = outputs[0]
    loss = loss_fn(outputs, targets)
    loss.backward()
    optimizer.step()
    return loss.item()
