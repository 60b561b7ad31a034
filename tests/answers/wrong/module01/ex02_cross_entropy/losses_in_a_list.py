# names: empty-list-of-losses
# breaks: "If no row counts"
import torch
from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    losses = []
    for row, target in zip(logits, targets.tolist()):
        if target == ignore_index:
            continue
        row = row.to(torch.promote_types(row.dtype, torch.float32))
        shifted = row - row.max()
        losses.append(shifted.exp().sum().log() - shifted[target])
    return torch.stack(losses).mean().to(logits.dtype)
