# names: real-nan-hidden
# breaks: "the mean of the hidden states of the real tokens, for each text of a batch"
import torch


def mean_pool(hidden, attention_mask):
    hidden = torch.nan_to_num(hidden)
    mask = attention_mask.unsqueeze(-1).bool()
    summed = torch.where(mask, hidden.float(), 0.0).sum(dim=1)
    counts = mask.sum(dim=1).clamp(min=1)
    return (summed / counts).to(hidden.dtype)
