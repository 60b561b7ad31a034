# names: scaler-for-float16-only
# breaks: "with `unscale_` before the clipping"
import torch
from torch.nn.utils import clip_grad_norm_


def autocast_step(model, batch, loss_fn, optimizer, *, device, dtype=torch.bfloat16, scaler=None, max_norm=1.0):
    inputs, targets = (part.to(device) for part in batch)
    optimizer.zero_grad()
    with torch.autocast(torch.device(device).type, dtype=dtype):
        outputs = model(inputs)
    loss = loss_fn(outputs.float(), targets)
    if scaler is not None and dtype == torch.float16:
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        clip_grad_norm_(model.parameters(), max_norm)
        scaler.step(optimizer)
        scaler.update()
    else:
        loss.backward()
        clip_grad_norm_(model.parameters(), max_norm)
        optimizer.step()
    return loss.item()
