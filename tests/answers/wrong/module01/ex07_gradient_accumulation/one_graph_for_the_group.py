# names: graphs-kept
# breaks: "so that only one graph is alive at a time"
import torch


def train_epoch(model, loader, loss_fn, optimizer, accumulation_steps):
    if accumulation_steps < 1:
        raise ValueError(f"accumulation_steps must be >= 1 (got {accumulation_steps})")
    losses = []
    data = list(loader)
    for i in range(0, len(data), accumulation_steps):
        results = [loss_fn(model(x), y) for x, y in data[i : i + accumulation_steps]]
        n = sum(count for _, count in results)
        if n == 0:
            continue
        loss = torch.stack([part for part, _ in results]).sum() / n
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
