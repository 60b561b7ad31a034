"""Removes the old gradients just before backward, and reads the loss last."""

import torch


def _clear(parameters):
    for parameter in parameters:
        parameter.grad = None


def training_step(model, batch, loss_fn, optimizer):
    for module in model.modules():
        module.training = True
    with torch.enable_grad():
        loss = loss_fn(model(batch[0]), batch[1])
    _clear(model.parameters())
    torch.autograd.backward(loss)
    value = loss.detach().cpu().numpy()
    optimizer.step()
    return float(value)
