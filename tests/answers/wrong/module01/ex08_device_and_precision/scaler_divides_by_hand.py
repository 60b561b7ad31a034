# names: unlisted
# breaks: "with `unscale_` before the clipping"
"""Divides the loss by the scale again instead of unscaling the gradients, which are clipped scaled."""

import torch


def autocast_step(model, batch, loss_fn, optimizer, *, device, dtype=torch.bfloat16, scaler=None, max_norm=1.0):
    x, y = (t.to(device) for t in batch)
    optimizer.zero_grad()
    with torch.autocast(torch.device(device).type, dtype=dtype):
        out = model(x)
    loss = loss_fn(out.float(), y)
    if scaler is None:
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        optimizer.step()
        return loss.item()
    scaled = scaler.scale(loss)
    scaled.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    factor = scaled.item() / loss.item()
    for p in model.parameters():
        p.grad = p.grad / factor
    optimizer.step()
    scaler.update()
    return loss.item()
