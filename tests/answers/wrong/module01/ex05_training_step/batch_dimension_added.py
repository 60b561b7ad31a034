# names: batch-dimension-added
# breaks: "any module that maps `inputs`, of any shape and dtype, to outputs"
import torch


def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    for module in model.modules():
        module.training = True
    optimizer.zero_grad(set_to_none=True)
    if inputs.ndim == 1:
        inputs = inputs[None]
    with torch.enable_grad():
        loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss.item()
