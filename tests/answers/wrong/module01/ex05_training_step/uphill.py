# names: uphill
# breaks: "Train the model on one batch"


def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    model.train()
    optimizer.zero_grad()
    loss = -loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return -loss.item()
