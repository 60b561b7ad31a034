# names: something-random
# breaks: "then a ReLU, then a linear layer"

import torch.nn.functional as F
from torch import Tensor


def forward(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
    hidden = F.dropout(F.relu(F.linear(x, w1, b1)), p=0.2)
    return F.linear(hidden, w2, b2)
