# names: clip-before-unscale
# breaks: "with `unscale_` before the clipping"
import torch


def autocast_step(model, batch, loss_fn, optimizer, *, device, dtype=torch.bfloat16, scaler=None, max_norm=1.0):
    x, y = batch
    x, y = x.to(device), y.to(device)
    optimizer.zero_grad()
    with torch.autocast(device_type=torch.device(device).type, dtype=dtype):
        out = model(x)
    loss = loss_fn(out.float(), y)
    if scaler:
        scaler.scale(loss).backward()
    else:
        loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    if scaler:
        scaler.unscale_(optimizer)
        scaler.step(optimizer)
        scaler.update()
    else:
        optimizer.step()
    return loss.item()
