# names: unlisted
# breaks: "with its own settings and memory"


def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    model.train()
    optimizer.zero_grad()
    model.requires_grad_(True)
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    for group in optimizer.param_groups:
        group["lr"] = optimizer.defaults["lr"]
    optimizer.step()
    return loss.item()
