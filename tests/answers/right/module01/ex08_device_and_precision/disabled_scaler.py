"""One path: where no scaler is given, a disabled GradScaler stands in, which passes everything through."""

import torch


def autocast_step(model, batch, loss_fn, optimizer, *, device, dtype=torch.bfloat16, scaler=None, max_norm=1.0):
    device = torch.device(device)
    if scaler is None:
        scaler = torch.amp.GradScaler(device.type, enabled=False)
    x = batch[0].to(device=device, non_blocking=True)
    y = batch[1].to(device=device, non_blocking=True)
    model.train()
    with torch.amp.autocast(device_type=device.type, dtype=dtype):
        loss = loss_fn(model(x).to(torch.float32), y)
    model.zero_grad()
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], max_norm=max_norm)
    scaler.step(optimizer)
    scaler.update()
    return float(loss)
