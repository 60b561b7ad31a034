"""Clips by hand over the optimizer's groups, and takes the device from the model's own weights."""

import torch


def _clip(optimizer, max_norm):
    gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    norm = torch.sqrt(sum((g.float() ** 2).sum() for g in gradients))
    if norm > max_norm:
        for gradient in gradients:
            gradient.mul_(max_norm / norm)


def autocast_step(model, batch, loss_fn, optimizer, *, device, dtype=torch.bfloat16, scaler=None, max_norm=1.0):
    weights = next(model.parameters())
    inputs, targets = batch[0].to(weights.device), batch[1].to(weights.device)
    with torch.autocast(weights.device.type, dtype):
        predicted = model(inputs)
        loss = loss_fn(predicted.float(), targets)
    value = loss.detach().cpu().item()
    for parameter in model.parameters():
        parameter.grad = None
    if scaler is not None:
        loss = scaler.scale(loss)
    loss.backward()
    if scaler is not None:
        scaler.unscale_(optimizer)
    _clip(optimizer, max_norm)
    if scaler is not None:
        scaler.step(optimizer)
        scaler.update()
    else:
        optimizer.step()
    return value
