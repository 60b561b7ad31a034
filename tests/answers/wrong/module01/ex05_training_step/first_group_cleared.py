# names: first-group-cleared
# breaks: "Whatever is in `.grad` on entry"
import torch


def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    for module in model.modules():
        module.training = True
    for p in optimizer.param_groups[0]["params"]:
        p.grad = None
    with torch.enable_grad():
        loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss.item()
