# names: divided-by-the-root
# breaks: "the mean of the hidden states of the real tokens, for each text of a batch"
# Divides by the square root of the number of tokens, another kind of pooling.
import torch


def mean_pool(hidden, attention_mask):
    keep = attention_mask.bool()[:, :, None]
    summed = torch.where(keep, hidden.float(), 0.0).sum(1)
    return (summed / keep.sum(1).clamp(min=1).float().sqrt()).to(hidden.dtype)
