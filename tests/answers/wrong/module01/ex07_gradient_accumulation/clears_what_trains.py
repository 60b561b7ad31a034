# names: frozen-gradients-kept
# breaks: "Whatever is in `.grad` on entry has no effect"
from itertools import islice


def train_epoch(model, loader, loss_fn, optimizer, accumulation_steps):
    if accumulation_steps < 1:
        raise ValueError(f"accumulation_steps is {accumulation_steps}")
    losses, batches = [], iter(loader)
    while group := list(islice(batches, accumulation_steps)):
        for p in model.parameters():
            if p.requires_grad:
                p.grad = None
        total = count = 0
        for inputs, targets in group:
            loss, n = loss_fn(model(inputs), targets)
            loss.backward()
            total += loss.item()
            count += n
        if count:
            for p in model.parameters():
                if p.grad is not None:
                    p.grad /= count
            optimizer.step()
            losses.append(total / count)
    return losses
