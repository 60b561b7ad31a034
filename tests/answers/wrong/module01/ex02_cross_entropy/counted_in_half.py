# names: unlisted
# breaks: "the mean over the rows that count"
# More than 2048 rows: a count in float16 is rounded.
import torch
from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    keep = (targets != ignore_index).half()
    wide = logits if logits.dtype == torch.float64 else logits.float()
    losses = torch.logsumexp(wide, dim=1) - wide.gather(1, targets.where(keep.bool(), 0).unsqueeze(1)).squeeze(1)
    return ((losses * keep).sum() / keep.sum().clamp(min=1)).to(logits.dtype)
