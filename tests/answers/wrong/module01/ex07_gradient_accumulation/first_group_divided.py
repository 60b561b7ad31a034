# names: first-group-divided
# breaks: "`step()` sees the gradient of the group's sum divided by the group's count"
def train_epoch(model, loader, loss_fn, optimizer, accumulation_steps):
    if accumulation_steps < 1:
        raise ValueError(f"accumulation_steps is {accumulation_steps}, at least 1 is needed")
    means = []
    total, count, seen = 0.0, 0, 0

    def update():
        if count:
            for group in optimizer.param_groups[:1]:
                for p in group["params"]:
                    if p.grad is not None:
                        p.grad /= count
            optimizer.step()
            means.append(total / count)

    for inputs, targets in loader:
        if seen == 0:
            optimizer.zero_grad()
            total, count = 0.0, 0
        loss, n = loss_fn(model(inputs), targets)
        loss.backward()
        total += loss.item()
        count += n
        seen += 1
        if seen == accumulation_steps:
            update()
            seen = 0
    if seen:
        update()
    return means
