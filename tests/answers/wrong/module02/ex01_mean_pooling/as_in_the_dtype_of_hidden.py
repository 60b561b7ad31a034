# names: summed-in-half-precision
# breaks: "The sum and the division are computed in at least float32"
import torch


def mean_pool(hidden, attention_mask):
    keep = attention_mask[..., None].bool()
    summed = torch.where(keep, hidden, 0.0).sum(1)
    return summed / keep.sum(1).clamp(min=1)
