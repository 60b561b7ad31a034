# names: zeros-in-place-of-none
# breaks: "Whatever is in `.grad` on entry"
def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    model.train()
    optimizer.zero_grad(set_to_none=False)
    outputs = model(inputs)
    loss = loss_fn(outputs, targets)
    loss.backward()
    optimizer.step()
    return loss.item()
