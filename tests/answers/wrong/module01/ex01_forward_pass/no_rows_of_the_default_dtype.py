# names: no-rows-of-the-default-dtype
# breaks: "in its dtype"
# Without rows the result is float32, whatever x is.
import torch
from torch import Tensor


def forward(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
    rows = x.reshape(-1, x.shape[-1]) if x.numel() else x.flatten(0, -2)
    if len(rows) == 0:
        return torch.zeros(*x.shape[:-1], w2.shape[0], device=x.device)
    return (torch.relu(rows @ w1.T + b1) @ w2.T + b2).reshape(*x.shape[:-1], w2.shape[0])
