# names: rows-as-columns
# breaks: "with any number of leading dimensions"
import torch
from torch import Tensor


def forward(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
    h = torch.relu((w1 @ x.T).T + b1)
    return (w2 @ h.T).T + b2
