# names: uncounted-skipped
# breaks: "`backward` runs for it before"
from itertools import islice


def train_epoch(model, loader, loss_fn, optimizer, accumulation_steps):
    if accumulation_steps < 1:
        raise ValueError(f"accumulation_steps must be at least 1, but it is {accumulation_steps}")
    losses, micro_batches = [], iter(loader)
    while group := list(islice(micro_batches, accumulation_steps)):
        optimizer.zero_grad()
        total, count = 0.0, 0
        for inputs, targets in group:
            loss, counted = loss_fn(model(inputs), targets)
            if counted == 0:
                continue
            loss.backward()
            total += loss.item()
            count += counted
        if count:
            for p in model.parameters():
                if p.grad is not None:
                    p.grad /= count
            optimizer.step()
            losses.append(total / count)
    return losses
