# names: requires-grad-switched-on
# breaks: "a parameter that needs none keeps its value"
def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    model.train()
    for p in model.parameters():
        p.requires_grad = True
    optimizer.zero_grad()
    outputs = model(inputs)
    loss = loss_fn(outputs, targets)
    loss.backward()
    optimizer.step()
    return loss.item()
