# names: computed-in-half-precision
# breaks: "in its dtype (computed in that or a wider one)"

import torch
from torch import Tensor


def forward(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
    with torch.autocast(x.device.type, dtype=torch.bfloat16):
        logits = torch.relu(x @ w1.T + b1) @ w2.T + b2
    return logits.to(x.dtype)
