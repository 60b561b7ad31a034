# names: learning-rate-divided
# breaks: "`step()` sees the gradient of the group's sum"
"""Divides the learning rate in place of the gradient: momentum and weight decay do not go along."""


def train_epoch(model, loader, loss_fn, optimizer, accumulation_steps):
    if accumulation_steps < 1:
        raise ValueError(f"accumulation_steps={accumulation_steps}")
    losses = []
    batches = list(loader)
    for start in range(0, len(batches), accumulation_steps):
        optimizer.zero_grad()
        total, count = 0.0, 0
        for x, y in batches[start : start + accumulation_steps]:
            loss, n = loss_fn(model(x), y)
            loss.backward()
            total += loss.item()
            count += n
        if count == 0:
            continue
        rates = [group["lr"] for group in optimizer.param_groups]
        for group in optimizer.param_groups:
            group["lr"] /= count
        optimizer.step()
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        losses.append(total / count)
    return losses
