# names: cleared-before-step
# breaks: "Train the model on one batch"


def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    model.train()
    outputs = model(inputs)
    loss = loss_fn(outputs, targets)
    loss.backward()
    for p in model.parameters():
        if p.grad is not None:
            p.grad.zero_()
    optimizer.step()
    return loss.item()
