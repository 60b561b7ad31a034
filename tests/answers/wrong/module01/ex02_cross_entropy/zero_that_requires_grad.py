# names: zero-without-a-graph
# breaks: "even if no row counts"
import torch
from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    keep = targets != ignore_index
    if not keep.any():
        return torch.zeros((), dtype=logits.dtype, device=logits.device, requires_grad=True)
    z = logits[keep].to(torch.promote_types(logits.dtype, torch.float32))
    losses = z.logsumexp(1) - z.gather(1, targets[keep][:, None])[:, 0]
    return losses.mean().to(logits.dtype)
