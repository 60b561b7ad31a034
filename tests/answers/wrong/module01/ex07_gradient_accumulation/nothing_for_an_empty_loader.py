# names: none-for-an-empty-loader
# breaks: "An empty loader gives `[]`."
def train_epoch(model, loader, loss_fn, optimizer, accumulation_steps):
    if accumulation_steps < 1:
        raise ValueError(f"accumulation_steps={accumulation_steps}")
    losses = []
    batches = list(loader)
    if not batches:
        return None
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
        for p in model.parameters():
            if p.grad is not None:
                p.grad /= count
        optimizer.step()
        losses.append(total / count)
    return losses
