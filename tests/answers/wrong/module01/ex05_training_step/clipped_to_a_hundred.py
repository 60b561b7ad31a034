# names: gradient-clipped
# breaks: "Train the model on one batch"
from torch.nn.utils import clip_grad_norm_


def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    model.train()
    optimizer.zero_grad()
    outputs = model(inputs)
    loss = loss_fn(outputs, targets)
    loss.backward()
    clip_grad_norm_(model.parameters(), 100.0)
    optimizer.step()
    return loss.item()
