# names: clamped-targets
# breaks: "ignore_index: any integer"
import torch
from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    z = logits.to(torch.promote_types(logits.dtype, torch.float32))
    mask = targets != ignore_index
    safe = targets.clamp(min=0)
    losses = torch.logsumexp(z, dim=1) - z.gather(1, safe[:, None]).squeeze(1)
    return (losses * mask).sum().div(mask.sum().clamp(min=1)).to(logits.dtype)
