# names: relu-mask
# breaks: "the gradients of a loss with respect to the input"

import torch
from torch import Tensor


def linear_backward(x: Tensor, w: Tensor, grad_out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    grad_x = grad_out @ w
    grad_x[x <= 0] = 0
    return grad_x, grad_out.T @ x, grad_out.sum(dim=0)


def cross_entropy_backward(logits: Tensor, targets: Tensor) -> Tensor:
    grad = torch.softmax(logits, dim=1)
    grad[torch.arange(len(targets)), targets] -= 1
    return grad / len(targets)
