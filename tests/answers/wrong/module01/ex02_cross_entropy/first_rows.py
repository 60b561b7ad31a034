# names: padding-taken-for-the-end
# breaks: "Rows whose target equals `ignore_index` count in neither the sum nor the divisor."

import torch
from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    n = int((targets != ignore_index).sum())
    if n == 0:
        return (wide * 0).sum().to(logits.dtype)
    wide, targets = wide[:n], targets[:n]
    wide = wide - wide.amax(dim=1, keepdim=True)
    log_p = wide - wide.exp().sum(dim=1, keepdim=True).log()
    return -log_p[torch.arange(n), targets].mean().to(logits.dtype)
