# names: weights-copied
# breaks: "gradients reach each of the five tensors"
import torch
from torch import Tensor


def forward(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
    fc1 = torch.nn.Linear(w1.shape[1], w1.shape[0], device=x.device, dtype=x.dtype)
    fc2 = torch.nn.Linear(w2.shape[1], w2.shape[0], device=x.device, dtype=x.dtype)
    fc1.weight.data, fc1.bias.data = (w1, b1)
    fc2.weight.data, fc2.bias.data = (w2, b2)
    return fc2(torch.relu(fc1(x)))
