# names: new-tensor-from-the-number
# breaks: "The loss is attached to the graph of `logits`"
import torch
from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    keep = targets != ignore_index
    z = logits[keep]
    z = z if z.dtype == torch.float64 else z.float()
    total = 0.0
    for row, t in zip(z, targets[keep]):
        total += float(row.logsumexp(0) - row[t])
    return torch.tensor(total / max(1, len(z)), dtype=logits.dtype, device=logits.device, requires_grad=True)
