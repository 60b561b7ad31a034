# names: no-rows-in-float32
# breaks: "A scalar tensor of the logits' dtype"
# No rows: the early return comes before the conversion back.
import torch
from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    scores = logits if logits.dtype == torch.float64 else logits.float()
    if targets.numel() == 0:
        return scores.sum()
    keep = targets != ignore_index
    losses = torch.logsumexp(scores, dim=1) - scores.gather(1, targets.where(keep, 0).unsqueeze(1)).squeeze(1)
    return (losses.where(keep, 0.0).sum() / keep.sum().clamp(min=1)).to(logits.dtype)
