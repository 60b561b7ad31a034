"""The usual loop over enumerate(loader), with len(loader) for the last group."""

import torch


def train_epoch(model, loader, loss_fn, optimizer, accumulation_steps):
    if accumulation_steps <= 0:
        raise ValueError(f"accumulation_steps={accumulation_steps} makes no group")
    params = [p for p in model.parameters() if p.requires_grad]
    history = []
    n_losses, running = 0, 0.0
    model.train()
    optimizer.zero_grad()
    for i, (x, y) in enumerate(loader, start=1):
        loss, n = loss_fn(model(x), y)
        if n:
            loss.backward()
        else:
            (loss * 0).backward()
        n_losses += n
        running += float(loss.detach())
        if i % accumulation_steps == 0 or i == len(loader):
            if n_losses:
                with torch.no_grad():
                    for p in params:
                        if p.grad is not None:
                            p.grad.mul_(1.0 / n_losses)
                optimizer.step()
                history.append(running / n_losses)
            optimizer.zero_grad()
            n_losses, running = 0, 0.0
    return history
