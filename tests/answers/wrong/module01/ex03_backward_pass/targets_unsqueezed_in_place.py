# names: input-changed
# breaks: "The result has the dtype and the device of `logits`"

import torch
from torch import Tensor


def linear_backward(x: Tensor, w: Tensor, grad_out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return grad_out @ w, grad_out.T @ x, grad_out.sum(dim=0)


def cross_entropy_backward(logits: Tensor, targets: Tensor) -> Tensor:
    probabilities = torch.softmax(logits, dim=1)
    hot = torch.zeros_like(probabilities).scatter_(1, targets.unsqueeze_(1), 1.0)
    return (probabilities - hot) / logits.shape[0]
