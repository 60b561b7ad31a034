# names: normalized
# breaks: "the mean of the hidden states of the real tokens, for each text of a batch"
import torch
import torch.nn.functional as F
from torch import Tensor


def mean_pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    real = attention_mask.bool().unsqueeze(-1)
    total = torch.where(real, hidden.float(), 0.0).sum(dim=1)
    mean = total / real.sum(dim=1).clamp(min=1)
    return F.normalize(mean, p=2, dim=1).to(hidden.dtype)
