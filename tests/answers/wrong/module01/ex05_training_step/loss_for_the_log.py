# names: two-forward-passes
# breaks: "It runs forward exactly once."
import torch


def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    model.train()
    with torch.no_grad():
        logged = loss_fn(model(inputs), targets).item()
    optimizer.zero_grad()
    loss_fn(model(inputs), targets).backward()
    optimizer.step()
    return logged
