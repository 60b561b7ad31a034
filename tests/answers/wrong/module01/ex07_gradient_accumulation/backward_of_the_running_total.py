# names: running-total-backward
# breaks: "Each update is the one that a single big batch of the whole group would give"
"""backward() of the running total: the first micro-batch is counted once for each that follows it."""


def train_epoch(model, loader, loss_fn, optimizer, accumulation_steps):
    if accumulation_steps < 1:
        raise ValueError(f"{accumulation_steps} is too small")
    losses, group = [], []

    def finish():
        optimizer.zero_grad()
        total, count = 0, 0
        for x, y in group:
            loss, n = loss_fn(model(x), y)
            total = total + loss
            total.backward(retain_graph=True)
            count += n
        if count:
            for p in model.parameters():
                if p.grad is not None:
                    p.grad /= count
            optimizer.step()
            losses.append(total.item() / count)
        group.clear()

    for batch in loader:
        group.append(batch)
        if len(group) == accumulation_steps:
            finish()
    if group:
        finish()
    return losses
