# names: requires-grad-switched-on
# breaks: "None of the five is changed."
import torch
from torch import Tensor


def forward(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
    for t in (x, w1, b1, w2, b2):
        t.requires_grad_(True)
    return torch.relu(x @ w1.T + b1) @ w2.T + b2
