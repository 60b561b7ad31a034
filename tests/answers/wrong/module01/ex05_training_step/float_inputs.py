# names: inputs-cast
# breaks: "any module that maps `inputs`, of any shape and dtype"
def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    model.train()
    optimizer.zero_grad()
    outputs = model(inputs.float())
    loss = loss_fn(outputs, targets)
    loss.backward()
    optimizer.step()
    return loss.item()
