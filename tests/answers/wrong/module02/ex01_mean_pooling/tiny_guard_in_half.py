# names: guard-lost-in-half
# breaks: "A text without a real token gets zeros."
# The guard against 0 is 1e-9, which is 0 in float16.
import torch


def mean_pool(hidden, attention_mask):
    keep = attention_mask[..., None].bool()
    summed = torch.where(keep, hidden, 0.0).sum(1)
    return summed / keep.sum(1).to(hidden.dtype).clamp(min=1e-9)
