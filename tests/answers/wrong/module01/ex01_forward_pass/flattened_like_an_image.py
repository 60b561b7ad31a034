# names: flattened-like-images
# breaks: "with any number of leading dimensions"
import torch
from torch import Tensor


def forward(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
    x = x.reshape(x.size(0), -1)
    hidden = torch.relu(torch.nn.functional.linear(x, w1, b1))
    return torch.nn.functional.linear(hidden, w2, b2)
