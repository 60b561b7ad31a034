# names: cut-outside-the-graph
# breaks: "gradients reach each of the five tensors"

import torch
from torch import Tensor


def forward(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
    hidden = x @ w1.T + b1
    with torch.no_grad():
        hidden.clamp_(min=0)
    return hidden @ w2.T + b2
