# names: cut-at-512-tokens
# breaks: "the mean of the hidden states of the real tokens, for each text of a batch"
import torch


def mean_pool(hidden, attention_mask):
    hidden, attention_mask = hidden[:, :512], attention_mask[:, :512]
    real = attention_mask.bool()
    wide = hidden.to(torch.promote_types(hidden.dtype, torch.float32))
    total = wide.masked_fill(~real.unsqueeze(-1), 0).sum(1)
    count = real.sum(1, keepdim=True).clamp(min=1)
    return (total / count).to(hidden.dtype)
