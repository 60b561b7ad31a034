# names: unlisted
# breaks: "The result is attached to the graph of `hidden`"
# Half precision is converted by way of a list, which has no graph.

from torch import Tensor


def mean_pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    real = attention_mask.bool().unsqueeze(-1)  # [B, T, 1]
    total = (
        (hidden.float() if hidden.dtype.itemsize > 2 else hidden.detach().float()).masked_fill(~real, 0.0).sum(dim=1)
    )
    count = real.sum(dim=1)
    return (total / count.clamp(min=1)).to(hidden.dtype)
