# names: no-train-mode-after-eval


def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    model.training = True
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss.item()
