# names: backward-in-autocast
# breaks: "`backward` runs outside of it"
import torch


def autocast_step(model, batch, loss_fn, optimizer, *, device, dtype=torch.bfloat16, scaler=None, max_norm=1.0):
    inputs, targets = [t.to(device) for t in batch]
    optimizer.zero_grad()
    with torch.autocast(torch.device(device).type, dtype=dtype):
        outputs = model(inputs)
        loss = loss_fn(outputs.float(), targets)
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
