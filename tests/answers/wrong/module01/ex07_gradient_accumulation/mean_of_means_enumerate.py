# names: accum-last-group-full-steps
# breaks: "`step()` sees the gradient of the group's sum"
"""The recipe of most blog posts: the mean loss over accumulation_steps."""


def train_epoch(model, loader, loss_fn, optimizer, accumulation_steps):
    if accumulation_steps < 1:
        raise ValueError(f"bad accumulation_steps {accumulation_steps}")
    losses = []
    running, n = 0.0, 0
    optimizer.zero_grad()
    for step, (inputs, targets) in enumerate(loader):
        total, count = loss_fn(model(inputs), targets)
        if count > 0:
            loss = total / count / accumulation_steps
            loss.backward()
        running += total.item()
        n += count
        if (step + 1) % accumulation_steps == 0 or step + 1 == len(loader):
            if n > 0:
                optimizer.step()
                losses.append(running / n)
            optimizer.zero_grad()
            running, n = 0.0, 0
    return losses
