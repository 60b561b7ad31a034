# names: cleared-only-after-step
# breaks: "Whatever is in `.grad` on entry"


def training_step(model, batch, loss_fn, optimizer):
    x, y = batch
    model.train()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    for p in model.parameters():
        p.grad = None
    return loss.item()
