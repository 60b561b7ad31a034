# names: train-only-if-not-training
# breaks: "The model and all its submodules are in train mode"
def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    if not model.training:
        model.train()
    optimizer.zero_grad()
    outputs = model(inputs)
    loss = loss_fn(outputs, targets)
    loss.backward()
    optimizer.step()
    return loss.item()
