# names: result-squeezed
# breaks: "with the leading dimensions of `x`"
# Squeeze(0) was meant for a single row, but drops a batch of one as well: x of [1, 5] gives [3].
import torch
from torch import Tensor


def forward(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
    rows = torch.atleast_2d(x)
    hidden = torch.relu(rows @ w1.T + b1)
    return (hidden @ w2.T + b2).squeeze(0)
