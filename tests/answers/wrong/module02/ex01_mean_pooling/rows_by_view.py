# names: view-of-a-transposed-tensor
# breaks: "It need not be contiguous."
import torch


def mean_pool(hidden, attention_mask):
    rows = hidden.view(-1, hidden.shape[-1])
    mask = attention_mask.unsqueeze(-1).bool()
    summed = torch.where(mask, rows.view_as(hidden).float(), 0.0).sum(dim=1)
    counts = mask.sum(dim=1).clamp(min=1)
    return (summed / counts).to(hidden.dtype)
