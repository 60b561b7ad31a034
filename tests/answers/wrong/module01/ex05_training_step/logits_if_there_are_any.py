# names: unlisted
# breaks: "loss_fn(model(inputs), targets)"
# Outputs with a field `logits`: loss_fn gets that field alone.
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
    loss = loss_fn(getattr(outputs, "logits", outputs), targets)
    loss.backward()
    optimizer.step()
    return loss.item()
