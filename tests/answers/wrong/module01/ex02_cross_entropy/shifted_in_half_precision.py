# names: maximum-subtracted-in-half-precision
# breaks: "It is computed in at least float32 and only then converted to that dtype."

import torch
from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    counts = targets != ignore_index
    if not counts.any():
        return (logits.float() * 0).sum().to(logits.dtype)
    rows, classes = logits[counts], targets[counts]
    shifted = rows - rows.max(dim=1, keepdim=True).values
    shifted = shifted.to(torch.promote_types(logits.dtype, torch.float32))
    losses = shifted.exp().sum(dim=1).log() - shifted.gather(1, classes[:, None])[:, 0]
    return losses.mean().to(logits.dtype)
