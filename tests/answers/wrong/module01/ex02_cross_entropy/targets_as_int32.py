# names: unlisted
# breaks: "any integer, even one that is a valid class"
# ignore_index = 2**40 no longer matches once the targets are int32.
import torch
from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    targets = targets.int()
    keep = targets != ignore_index
    wide = logits if logits.dtype == torch.float64 else logits.float()
    classes = targets.where(keep, 0).clamp(0, logits.shape[1] - 1).long()
    losses = torch.logsumexp(wide, dim=1) - wide.gather(1, classes.unsqueeze(1)).squeeze(1)
    return (losses.where(keep, 0.0).sum() / keep.sum().clamp(min=1)).to(logits.dtype)
