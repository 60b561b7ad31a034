"""Asks autograd for the gradients and lays them into .grad."""

import torch


def training_step(model, batch, loss_fn, optimizer):
    model.train()
    *inputs, targets = batch
    loss = loss_fn(model(*inputs), targets)
    optimizer.zero_grad()
    trainable = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
    for p, gradient in zip(trainable, torch.autograd.grad(loss, trainable, allow_unused=True), strict=True):
        p.grad = gradient
    optimizer.step()
    return loss.tolist()
