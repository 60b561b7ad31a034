# names: autocast-for-another-type
# breaks: "The forward runs under `torch.autocast` for the type of `device`"
import torch


def autocast_step(model, batch, loss_fn, optimizer, *, device, dtype=torch.bfloat16, scaler=None, max_norm=1.0):
    with torch.autocast(batch[0].device.type, dtype=dtype):
        outputs = model(batch[0].to(device))
    loss = loss_fn(outputs.float(), batch[1].to(device))
    optimizer.zero_grad()
    if scaler is None:
        loss.backward()
    else:
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    if scaler is None:
        optimizer.step()
    else:
        scaler.step(optimizer)
        scaler.update()
    return loss.item()
