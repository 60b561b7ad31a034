# names: frozen-gradients-kept
# breaks: "a parameter that needs none keeps its value"
def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    model.train()
    for p in model.parameters():
        if p.requires_grad:
            p.grad = None
    outputs = model(inputs)
    loss = loss_fn(outputs, targets)
    loss.backward()
    optimizer.step()
    return loss.item()
