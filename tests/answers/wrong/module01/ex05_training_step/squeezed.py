# names: outputs-reshaped
# breaks: "called once, as `loss_fn(model(inputs), targets)`"
def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    model.train()
    optimizer.zero_grad()
    outputs = model(inputs).squeeze(-1)
    loss = loss_fn(outputs, targets)
    loss.backward()
    optimizer.step()
    return loss.item()
