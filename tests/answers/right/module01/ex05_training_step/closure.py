"""The optimizer calls a closure, as LBFGS wants it."""


def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch

    def closure():
        optimizer.zero_grad()
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        return loss

    model.train()
    return optimizer.step(closure).item()
