# names: made-on-the-default-device
# breaks: "even if that is not torch's default device"
import torch
from torch import Tensor


def mean_pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    kind = torch.promote_types(hidden.dtype, torch.float32)
    keep = attention_mask.bool()
    counts = torch.tensor([max(int(row.sum()), 1) for row in keep], dtype=kind)
    total = hidden.to(kind).masked_fill(~keep[..., None], 0).sum(dim=1)
    return (total / counts[:, None]).to(hidden.dtype)
