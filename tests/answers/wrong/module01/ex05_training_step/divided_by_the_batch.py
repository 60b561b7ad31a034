# names: loss-divided-by-the-batch
# breaks: "called once, as `loss_fn(model(inputs), targets)`"


def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets) / len(inputs)
    loss.backward()
    optimizer.step()
    return loss.item()
