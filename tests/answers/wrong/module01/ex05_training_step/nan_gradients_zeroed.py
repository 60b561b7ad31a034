# names: gradient-repaired
# breaks: "makes the update, with its own settings and memory"
import torch


def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    for module in model.modules():
        module.training = True
    optimizer.zero_grad(set_to_none=True)
    with torch.enable_grad():
        loss = loss_fn(model(inputs), targets)
    loss.backward()
    for p in model.parameters():
        if p.grad is not None:
            p.grad.nan_to_num_(0.0)
    optimizer.step()
    return loss.item()
