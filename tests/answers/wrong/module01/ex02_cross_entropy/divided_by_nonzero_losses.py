# names: zero-losses-not-counted
# breaks: "the mean over the rows that count"

import torch
from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    counts = targets != ignore_index
    chosen = wide.gather(1, targets.where(counts, 0).unsqueeze(1)).squeeze(1)
    losses = (torch.logsumexp(wide, dim=1) - chosen) * counts
    divisor = torch.count_nonzero(losses).clamp(min=1)
    return (losses.sum() / divisor).to(logits.dtype)
