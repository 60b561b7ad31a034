# names: batch-of-one-squeezed
# breaks: "B, T and H are at least 1"
import torch


def mean_pool(hidden, attention_mask):
    mask = attention_mask.unsqueeze(-1).bool()
    summed = torch.where(mask, hidden.float(), 0.0).sum(dim=1)
    counts = mask.sum(dim=1).clamp(min=1)
    return (summed / counts).squeeze().to(hidden.dtype)
