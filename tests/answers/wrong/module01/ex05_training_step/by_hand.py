# names: optimizer-state-lost
# breaks: "makes the update, with its own settings and memory"
import torch


def training_step(model, batch, loss_fn, optimizer):
    x, y = batch
    model.train()
    model.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    with torch.no_grad():
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p -= group["lr"] * p.grad
    return loss.item()
