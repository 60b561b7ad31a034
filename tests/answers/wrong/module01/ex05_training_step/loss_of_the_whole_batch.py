# names: loss-times-the-batch
# breaks: "return the loss of this batch before the update"
from collections.abc import Callable

from torch import Tensor, nn
from torch.optim import Optimizer


def training_step(
    model: nn.Module, batch: tuple[Tensor, Tensor], loss_fn: Callable[[Tensor, Tensor], Tensor], optimizer: Optimizer
) -> float:
    inputs, targets = batch
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss.item() * inputs.size(0)
