# names: no-step-if-not-finite
# breaks: "its `step()` is called once"
import math


def training_step(model, batch, loss_fn, optimizer):
    inputs, targets = batch
    model.train()
    optimizer.zero_grad(set_to_none=True)
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    value = float(loss)
    if math.isinf(value) or math.isnan(value):
        return value
    optimizer.step()
    return value
