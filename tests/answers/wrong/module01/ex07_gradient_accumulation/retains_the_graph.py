# names: graph-retained
# breaks: "so that only one graph is alive at a time"
"""backward(retain_graph=True), and the losses kept: right numbers, and no graph is ever freed."""


def train_epoch(model, loader, loss_fn, optimizer, accumulation_steps):
    if accumulation_steps < 1:
        raise ValueError(f"accumulation_steps={accumulation_steps}")
    losses, batches = [], list(loader)
    for start in range(0, len(batches), accumulation_steps):
        optimizer.zero_grad()
        parts, count = [], 0
        for x, y in batches[start : start + accumulation_steps]:
            loss, n = loss_fn(model(x), y)
            loss.backward(retain_graph=True)
            parts.append(loss)
            count += n
        if count:
            for p in model.parameters():
                if p.grad is not None:
                    p.grad /= count
            optimizer.step()
            losses.append(sum(part.item() for part in parts) / count)
    return losses
