"""float32 whatever comes in, float64 too; the logsumexp is taken of the logits as they are."""

import torch
from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    mask = torch.ne(targets, ignore_index)
    selected, labels = logits.float()[mask], targets[mask]
    log_probabilities = selected - selected.logsumexp(dim=-1, keepdim=True)
    chosen = torch.take_along_dim(log_probabilities, labels.unsqueeze(-1), dim=-1)
    count = int(mask.sum()) or 1
    return -(chosen.sum() / count).to(dtype=logits.dtype)
