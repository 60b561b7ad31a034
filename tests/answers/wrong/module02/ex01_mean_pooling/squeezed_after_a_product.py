# names: batch-of-one-squeezed
# breaks: "B, T and H are at least 1"
import torch


def mean_pool(hidden, attention_mask):
    wide = torch.promote_types(hidden.dtype, torch.float32)
    real = attention_mask.bool()
    clean = torch.where(real.unsqueeze(-1), hidden.to(wide), 0.0)
    count = real.sum(dim=1, keepdim=True).clamp(min=1)
    return (torch.bmm(real.unsqueeze(1).to(wide), clean).squeeze() / count).to(hidden.dtype)
