# names: zeros-in-place-of-none
# breaks: "Whatever is in `.grad` on entry"
import torch
from torch.nn.utils import clip_grad_norm_


def autocast_step(model, batch, loss_fn, optimizer, *, device, dtype=torch.bfloat16, scaler=None, max_norm=1.0):
    inputs, targets = (tensor.to(device) for tensor in batch)
    for p in model.parameters():
        if p.grad is not None:
            p.grad.zero_()
    with torch.autocast(torch.device(device).type, dtype=dtype):
        outputs = model(inputs)
    loss = loss_fn(outputs.float(), targets)
    (loss if scaler is None else scaler.scale(loss)).backward()
    if scaler is not None:
        scaler.unscale_(optimizer)
    clip_grad_norm_(model.parameters(), max_norm)
    if scaler is None:
        optimizer.step()
    else:
        scaler.step(optimizer)
        scaler.update()
    return loss.item()
