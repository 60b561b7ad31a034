# names: always-scaled-to-max-norm
# breaks: "a larger norm of all gradients together is scaled down to it"
"""Scales the gradient to max_norm always, so a small gradient is scaled up."""

import torch


def autocast_step(model, batch, loss_fn, optimizer, *, device, dtype=torch.bfloat16, scaler=None, max_norm=1.0):
    x, y = (t.to(device) for t in batch)
    optimizer.zero_grad()
    with torch.autocast(torch.device(device).type, dtype=dtype):
        out = model(x)
    loss = loss_fn(out.float(), y)
    (loss if scaler is None else scaler.scale(loss)).backward()
    if scaler is not None:
        scaler.unscale_(optimizer)
    norm = torch.stack([p.grad.norm() for p in model.parameters()]).norm()
    for p in model.parameters():
        p.grad.mul_(max_norm / norm)
    if scaler is None:
        optimizer.step()
    else:
        scaler.step(optimizer)
        scaler.update()
    return loss.item()
