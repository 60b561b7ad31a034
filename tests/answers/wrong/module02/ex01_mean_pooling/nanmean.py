# names: real-nan-hidden
# breaks: "the mean of the hidden states of the real tokens, for each text of a batch"
import torch


def mean_pool(hidden, attention_mask):
    real = attention_mask.to(torch.bool)
    nan = hidden.to(torch.float32).masked_fill(~real.unsqueeze(2), float("nan"))
    return nan.nanmean(dim=1).masked_fill(~real.any(dim=1, keepdim=True), 0.0).to(hidden.dtype)
