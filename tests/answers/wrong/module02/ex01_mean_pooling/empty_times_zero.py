# names: unlisted
# breaks: "A text without a real token gets zeros."
# Multiplies what an empty text holds by 0: nan in its padding stays nan.

from torch import Tensor


def mean_pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    real = attention_mask.bool().unsqueeze(-1)  # [B, T, 1]
    total = hidden.float().masked_fill(~real, 0.0).sum(dim=1)
    count = real.sum(dim=1)
    mean = total / count.clamp(min=1)
    return mean.where(count > 0, hidden[:, 0].float() * 0).to(hidden.dtype)
