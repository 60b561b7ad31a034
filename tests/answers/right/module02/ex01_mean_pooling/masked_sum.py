import torch
import torch.masked
from torch import Tensor


def mean_pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    kind = torch.promote_types(hidden.dtype, torch.float32)
    keep = attention_mask.bool().unsqueeze(-1).expand_as(hidden)
    total = torch.masked.sum(hidden, 1, mask=keep, dtype=kind)
    return total.div(keep.sum(1).clamp(min=1)).to(hidden.dtype)
