# names: rows-counted-in-half-precision
# breaks: "It is computed in at least float32 and only then converted to that dtype."

import torch
from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    weight = (targets != ignore_index).to(logits.dtype)
    shifted = wide - wide.amax(dim=1, keepdim=True)
    log_p = shifted - shifted.exp().sum(dim=1, keepdim=True).log()
    index = torch.where(targets == ignore_index, 0, targets)
    losses = -log_p.gather(1, index[:, None]).squeeze(1)
    return ((losses * weight).sum() / weight.sum().clamp(min=1)).to(logits.dtype)
