# names: device-written-out
# breaks: "a name such as"
import torch


def autocast_step(model, batch, loss_fn, optimizer, *, device, dtype=torch.bfloat16, scaler=None, max_norm=1.0):
    inputs, targets = batch[0].cuda(), batch[1].cuda()
    optimizer.zero_grad()
    with torch.autocast("cuda", dtype=dtype):
        loss = loss_fn(model(inputs).float(), targets)
    if scaler is not None:
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
    else:
        loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    if scaler is not None:
        scaler.step(optimizer)
        scaler.update()
    else:
        optimizer.step()
    return loss.item()
