# names: unlisted
# breaks: "The values in the padding never matter"
from torch import Tensor


def mean_pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    states = hidden.float()
    padding = (1 - attention_mask.long()).unsqueeze(-1)
    total = states.sum(dim=1) - (states * padding).sum(dim=1)
    return (total / attention_mask.sum(dim=1, keepdim=True).clamp(min=1)).to(hidden.dtype)
