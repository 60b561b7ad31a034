# names: empty-text-refused
# breaks: "A text without a real token gets zeros."
# Drops the positions behind the last real token of the batch; where no text has one, there is no last.

from torch import Tensor


def mean_pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    last = int(attention_mask.nonzero()[:, 1].max())
    hidden, attention_mask = hidden[:, : last + 1], attention_mask[:, : last + 1]
    real = attention_mask.bool().unsqueeze(-1)  # [B, T, 1]
    total = hidden.float().masked_fill(~real, 0.0).sum(dim=1)
    count = real.sum(dim=1)
    return (total / count.clamp(min=1)).to(hidden.dtype)
