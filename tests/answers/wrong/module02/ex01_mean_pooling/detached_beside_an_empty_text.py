# names: unlisted
# breaks: "The result is attached to the graph of `hidden`"
import torch


def mean_pool(hidden, attention_mask):
    real = attention_mask.bool()
    wide = hidden.to(torch.promote_types(hidden.dtype, torch.float32))
    total = wide.masked_fill(~real.unsqueeze(-1), 0).sum(1)
    count = real.sum(1, keepdim=True).clamp(min=1)
    if (real.sum(1) == 0).any():
        total = total.detach()
    return (total / count).to(hidden.dtype)
