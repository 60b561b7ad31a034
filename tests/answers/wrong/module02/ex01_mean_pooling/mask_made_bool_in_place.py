# names: mask-changed
# breaks: "Neither `hidden` nor `attention_mask` is changed."
import torch


def mean_pool(hidden, attention_mask):
    attention_mask[attention_mask.sum(1) == 0, 0] = 1
    mask = attention_mask.unsqueeze(-1).bool()
    summed = torch.where(mask, hidden.float(), 0.0).sum(dim=1)
    counts = mask.sum(dim=1).clamp(min=1)
    return (summed / counts).to(hidden.dtype)
