# names: loss-after-update
# breaks: "before that update"
"""The gradient is right, and the loss is read after the update by a second forward pass."""


def train_epoch(model, loader, loss_fn, optimizer, accumulation_steps):
    if accumulation_steps < 1:
        raise ValueError(f"accumulation_steps={accumulation_steps}")
    losses = []
    batches = list(loader)
    for start in range(0, len(batches), accumulation_steps):
        group = batches[start : start + accumulation_steps]
        optimizer.zero_grad()
        count = 0
        for x, y in group:
            loss, n = loss_fn(model(x), y)
            loss.backward()
            count += n
        if count:
            for p in model.parameters():
                if p.grad is not None:
                    p.grad /= count
            optimizer.step()
            losses.append(sum(loss_fn(model(x), y)[0].item() for x, y in group) / count)
    return losses
