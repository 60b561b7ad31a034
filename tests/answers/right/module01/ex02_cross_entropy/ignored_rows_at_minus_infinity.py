"""The rows that do not count are put at minus infinity; where() keeps their nan out of loss and gradient."""

import torch
from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    keep = targets != ignore_index
    z = logits.to(torch.promote_types(logits.dtype, torch.float32))
    z = torch.where(keep[:, None], z, float("-inf"))
    z = z - z.max(dim=1, keepdim=True).values
    index = targets.masked_fill(~keep, 0)
    losses = z.exp().sum(1).log() - z.gather(1, index[:, None])[:, 0]
    return (torch.where(keep, losses, 0.0).sum() / keep.sum().clamp(min=1)).to(logits.dtype)
