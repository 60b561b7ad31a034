# names: target-subtracted-for-the-maximum
# breaks: "It is finite for logits between -1e4 and 1e4, in any mixture, and so is its gradient"
# The target's logit is subtracted instead of the row's maximum: exp overflows where the target's is far below.
import torch
from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    keep = targets != ignore_index
    if keep.sum() == 0:
        return (logits * 0).sum()
    z = logits[keep]
    wide = z.double()
    picked = wide.gather(1, targets[keep].unsqueeze(1))
    return torch.log(torch.exp(wide - picked).sum(dim=1)).mean().to(logits.dtype)
