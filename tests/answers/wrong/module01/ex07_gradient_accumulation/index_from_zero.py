# names: group-ends-at-index-zero
# breaks: "how many micro-batches make a group"
def train_epoch(model, loader, loss_fn, optimizer, accumulation_steps):
    if accumulation_steps < 1:
        raise ValueError(f"accumulation_steps={accumulation_steps}")
    losses = []
    total, count = 0.0, 0
    optimizer.zero_grad()
    for i, (x, y) in enumerate(loader):
        loss, n = loss_fn(model(x), y)
        loss.backward()
        total += loss.item()
        count += n
        if i % accumulation_steps == 0 or i + 1 == len(loader):
            if count:
                for p in model.parameters():
                    if p.grad is not None:
                        p.grad /= count
                optimizer.step()
                losses.append(total / count)
            optimizer.zero_grad()
            total, count = 0.0, 0
    return losses
