# names: no-backward
# breaks: "Train the model on one batch"
def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    model.train()
    optimizer.zero_grad()
    outputs = model(inputs)
    loss = loss_fn(outputs, targets)
    loss = loss.detach().requires_grad_()
    loss.backward()
    optimizer.step()
    return loss.item()
