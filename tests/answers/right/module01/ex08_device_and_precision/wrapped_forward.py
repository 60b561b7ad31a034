"""autocast as a decorator of a forward, gradients by torch.autograd.grad."""

import torch
from torch.nn.utils import clip_grads_with_norm_, get_total_norm


def autocast_step(model, batch, loss_fn, optimizer, *, device, dtype=torch.bfloat16, scaler=None, max_norm=1.0):
    kind = device.type if isinstance(device, torch.device) else str(device).partition(":")[0]

    @torch.autocast(kind, dtype=dtype)
    def forward(inputs):
        return model(inputs)

    inputs, targets = [part.to(device, copy=False) for part in batch]
    with torch.enable_grad():
        loss = loss_fn(forward(inputs).float(), targets)
    start = loss if scaler is None else scaler.scale(loss)
    optimizer.zero_grad()  # An old gradient would move what is frozen.
    parameters = [p for p in model.parameters() if p.requires_grad]
    for parameter, gradient in zip(parameters, torch.autograd.grad(start, parameters), strict=True):
        parameter.grad = gradient
    if scaler is not None:
        scaler.unscale_(optimizer)
    clip_grads_with_norm_(parameters, max_norm, get_total_norm([p.grad for p in parameters]))
    step, update = (optimizer.step, lambda: None) if scaler is None else (lambda: scaler.step(optimizer), scaler.update)
    step()
    update()
    return loss.tolist()
