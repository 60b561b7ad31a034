# names: batch-changed
# breaks: "neither is changed"


def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    model.train()
    inputs -= inputs.mean(dim=0)
    inputs /= inputs.std(dim=0)
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss.item()
