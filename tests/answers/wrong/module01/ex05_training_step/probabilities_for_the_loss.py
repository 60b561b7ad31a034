# names: softmax-on-outputs
# breaks: "called once, as `loss_fn(model(inputs), targets)`"
from collections.abc import Callable

from torch import Tensor, nn
from torch.optim import Optimizer


def training_step(
    model: nn.Module, batch: tuple[Tensor, Tensor], loss_fn: Callable[[Tensor, Tensor], Tensor], optimizer: Optimizer
) -> float:
    inputs, targets = batch
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(inputs).softmax(-1), targets)
    loss.backward()
    optimizer.step()
    return loss.item()
