"""Clears through the model, before the step and after it."""


def training_step(model, batch, loss_fn, optimizer):
    x, y = batch[0], batch[1]
    model.train(True)
    model.zero_grad(set_to_none=True)
    predictions = model(x)
    loss = loss_fn(predictions, y)
    before = float(loss.detach())
    loss.backward()
    optimizer.step()
    model.zero_grad()
    return before
