# names: summed-in-half-precision
# breaks: "The sum and the division are computed in at least float32"
import torch


def mean_pool(hidden, attention_mask):
    mask = attention_mask.unsqueeze(-1).bool()
    summed = torch.where(mask, hidden.float(), 0.0).sum(dim=1)
    counts = mask.sum(dim=1).clamp(min=1)
    return summed.to(hidden.dtype) / counts
