# names: every-row-at-every-target
# breaks: "The loss of one row is `-log p`, where p is the softmax of the row at its target class"
# Log_p[:, targets] picks an N x N matrix, each row at every target.
import torch
from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    keep = targets != ignore_index
    z, y = logits[keep].float(), targets[keep]
    if len(y) == 0:
        return (logits * 0.0).sum()
    log_p = z - torch.logsumexp(z, dim=1, keepdim=True)
    return -log_p[:, y].mean().to(logits.dtype)
