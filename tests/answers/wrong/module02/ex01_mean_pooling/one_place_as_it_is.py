# names: unlisted
# breaks: "A text without a real token gets zeros"
import torch


def mean_pool(hidden, attention_mask):
    if hidden.shape[1] == 1:
        return hidden[:, 0]
    real = attention_mask.bool()
    wide = hidden.to(torch.promote_types(hidden.dtype, torch.float32))
    total = wide.masked_fill(~real.unsqueeze(-1), 0).sum(1)
    count = real.sum(1, keepdim=True).clamp(min=1)
    return (total / count).to(hidden.dtype)
