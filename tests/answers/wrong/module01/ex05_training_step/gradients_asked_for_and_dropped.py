# names: no-backward
# breaks: "Train the model on one batch"
import torch


def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    torch.autograd.grad(loss, [p for p in model.parameters() if p.requires_grad])
    optimizer.step()
    return loss.item()
