# names: model-cast-to-half
# breaks: "Parameters stay float32."
import torch


def autocast_step(model, batch, loss_fn, optimizer, *, device, dtype=torch.bfloat16, scaler=None, max_norm=1.0):
    x, y = (t.to(device) for t in batch)
    model = model.to(device=device, dtype=dtype)
    optimizer.zero_grad(set_to_none=True)
    out = model(x.to(dtype))
    loss = loss_fn(out.float(), y)
    if scaler is None:
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        optimizer.step()
        return loss.item()
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    scaler.step(optimizer)
    scaler.update()
    return loss.item()
