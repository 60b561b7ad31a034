# names: inputs-flattened
# breaks: "any module that maps `inputs`, of any shape and dtype"


def training_step(model, batch, loss_fn, optimizer):
    images, labels = batch
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(images.view(images.size(0), -1)), labels)
    loss.backward()
    optimizer.step()
    return loss.item()
