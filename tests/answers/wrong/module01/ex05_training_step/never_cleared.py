# names: no-zero-grad
# breaks: "Whatever is in `.grad` on entry"


def training_step(model, batch, loss_fn, optimizer):
    x, y = batch
    model.train()
    prediction = model(x)
    loss = loss_fn(prediction, y)
    loss.backward()
    optimizer.step()
    return loss.item()
