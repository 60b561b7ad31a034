# names: row-made-a-batch
# breaks: "including none"
import torch
from torch import Tensor


def forward(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
    if x.dim() == 1:
        x = x.unsqueeze(0)
    return torch.relu(x @ w1.T + b1) @ w2.T + b2
