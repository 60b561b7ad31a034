# names: summed-in-half-precision
# breaks: "The sum and the division are computed in at least float32"
# Gives each token its 1/n in the dtype of hidden.

from torch import Tensor


def mean_pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    real = attention_mask.bool().unsqueeze(-1)  # [B, T, 1]
    count = real.sum(dim=1)
    weights = (real / count.clamp(min=1).unsqueeze(1)).to(hidden.dtype)
    return (hidden.masked_fill(~real, 0.0) * weights).sum(dim=1)
