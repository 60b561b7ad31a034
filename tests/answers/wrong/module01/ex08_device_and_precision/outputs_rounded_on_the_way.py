# names: unlisted
# breaks: "with the model's outputs cast to float32 (`outputs.float()`)"
import torch
from torch.nn.utils import clip_grad_norm_


def autocast_step(model, batch, loss_fn, optimizer, *, device, dtype=torch.bfloat16, scaler=None, max_norm=1.0):
    device = torch.device(device)
    inputs, targets = (t.to(device) for t in batch)
    with torch.autocast(device.type, dtype=dtype):
        outputs = model(inputs)
    loss = loss_fn(outputs.to(dtype).float(), targets)
    optimizer.zero_grad()
    held = [p for group in optimizer.param_groups for p in group["params"]]
    if scaler is None:
        loss.backward()
        clip_grad_norm_(held, max_norm)
        optimizer.step()
    else:
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        clip_grad_norm_(held, max_norm)
        scaler.step(optimizer)
        scaler.update()
    return loss.item()
