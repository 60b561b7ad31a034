# names: graph-switched-by-one-tensor
# breaks: "gradients reach each of the five tensors"
# Where only the second layer trains (w1, b1 frozen), nothing is attached.
import torch
from torch import Tensor


def forward(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
    training = x.requires_grad or w1.requires_grad
    with torch.set_grad_enabled(training):
        return torch.relu(x @ w1.T + b1) @ w2.T + b2
