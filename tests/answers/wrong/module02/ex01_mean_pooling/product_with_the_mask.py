# names: nan-padding-leaks
# breaks: "The values in the padding never matter"
import torch


def mean_pool(hidden, attention_mask):
    mask = attention_mask.unsqueeze(-1).expand(hidden.size()).float()
    summed = torch.sum(hidden.float() * mask, 1)
    counts = torch.clamp(mask.sum(1), min=1e-9)
    return (summed / counts).to(hidden.dtype)
