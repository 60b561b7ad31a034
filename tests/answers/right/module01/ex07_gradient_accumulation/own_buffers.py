"""torch.autograd.grad into buffers of its own; .grad is written once, just before the step."""

import torch


def train_epoch(model, loader, loss_fn, optimizer, accumulation_steps):
    if not accumulation_steps >= 1:
        raise ValueError(str(accumulation_steps))
    weights = [w for w in model.parameters() if w.requires_grad]
    batches = list(loader)
    optimizer.zero_grad()  # An old gradient would move what is frozen.
    out = []
    for start in range(0, len(batches), accumulation_steps):
        buffers = [torch.zeros_like(w) for w in weights]
        sums, counts = [], []
        for x, y in batches[start : start + accumulation_steps]:
            value, n = loss_fn(model(x), y)
            for buffer, g in zip(buffers, torch.autograd.grad(value, weights), strict=True):
                buffer += g
            sums.append(value.item())
            counts.append(n)
        if sum(counts) == 0:
            continue
        for w, buffer in zip(weights, buffers, strict=True):
            w.grad = buffer / sum(counts)
        optimizer.step()
        out.append(sum(sums) / sum(counts))
    return out
