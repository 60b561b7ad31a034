# names: loss-rounded
# breaks: "The loss before the update, as a Python float."


def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return round(loss.item(), 4)
