# names: accum-last-partial-dropped
# breaks: "the last group may hold fewer"
def train_epoch(model, loader, loss_fn, optimizer, accumulation_steps):
    if accumulation_steps < 1:
        raise ValueError(accumulation_steps)
    out = []
    s = c = 0
    optimizer.zero_grad()
    for i, (x, y) in enumerate(loader):
        part, n = loss_fn(model(x), y)
        part.backward()
        s += part.item()
        c += n
        if (i + 1) % accumulation_steps == 0:
            if c:
                for p in model.parameters():
                    if p.grad is not None:
                        p.grad = p.grad / c
                optimizer.step()
                out.append(s / c)
            optimizer.zero_grad()
            s = c = 0
    return out
