# names: updated-before-the-step
# breaks: "each once and in this order"
"""scaler.update() before scaler.step(): the state of this step is forgotten before it is used."""

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
    else:
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        scaler.update()
        scaler.step(optimizer)
    return loss.item()
