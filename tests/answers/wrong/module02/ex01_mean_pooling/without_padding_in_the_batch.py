# names: unlisted
# breaks: "The sum and the division are computed in at least float32"
# Sums in the dtype of hidden where the batch has no padding.

from torch import Tensor


def mean_pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    if attention_mask.all():
        return hidden.sum(dim=1) / hidden.shape[1]
    real = attention_mask.bool().unsqueeze(-1)  # [B, T, 1]
    total = hidden.float().masked_fill(~real, 0.0).sum(dim=1)
    count = real.sum(dim=1)
    return (total / count.clamp(min=1)).to(hidden.dtype)
