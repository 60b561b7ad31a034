# names: own-flag-only
# breaks: "The model and all its submodules are in train mode"


def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    model.training = True
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss.item()
