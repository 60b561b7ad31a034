# names: accum-not-divided
# breaks: "`step()` sees the gradient of the group's sum"
def train_epoch(model, loader, loss_fn, optimizer, accumulation_steps):
    if accumulation_steps < 1:
        raise ValueError("accumulation_steps is " + str(accumulation_steps))
    losses = []
    batches = list(loader)
    while batches:
        group, batches = batches[:accumulation_steps], batches[accumulation_steps:]
        optimizer.zero_grad()
        total, count = 0, 0
        for inputs, targets in group:
            loss, n = loss_fn(model(inputs), targets)
            loss.backward()
            total += loss.item()
            count += n
        if count:
            optimizer.step()
            losses.append(total / count)
    return losses
