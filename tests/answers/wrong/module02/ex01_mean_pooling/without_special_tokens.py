# names: special-tokens-left-out
# breaks: "the mean of the hidden states of the real tokens, for each text of a batch"
from torch import Tensor


def mean_pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    mask = attention_mask.bool().clone()
    for row in mask:
        places = row.nonzero().flatten().tolist()
        if len(places) > 2:
            row[places[0]] = row[places[-1]] = False
    real = mask.unsqueeze(-1)
    total = hidden.float().masked_fill(~real, 0.0).sum(dim=1)
    return (total / real.sum(dim=1).clamp(min=1)).to(hidden.dtype)
