"""Keeps .grad a mean at all times: rescale what is there, add the new part already divided."""


def train_epoch(model, loader, loss_fn, optimizer, accumulation_steps):
    if accumulation_steps < 1:
        raise ValueError(f"cannot group by {accumulation_steps}")
    result, seen, mean, steps = [], 0, 0.0, 0

    def update():
        nonlocal seen, mean, steps
        if seen > 0:
            optimizer.step()
            result.append(mean)
        optimizer.zero_grad(set_to_none=True)
        seen, mean, steps = 0, 0.0, 0

    optimizer.zero_grad(set_to_none=True)
    for inputs, targets in loader:
        loss_sum, count = loss_fn(model(inputs), targets)
        total = seen + count
        if total > 0:
            for group in optimizer.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        p.grad.mul_(seen / total)
            mean_part = loss_sum / total
            mean_part.backward()
            mean = mean * (seen / total) + mean_part.item()
        seen = total
        steps += 1
        if steps == accumulation_steps:
            update()
    if steps:
        update()
    return result
