# names: gradients-clipped
# breaks: "It may hold any numbers."

import torch
from torch import Tensor


def linear_backward(x: Tensor, w: Tensor, grad_out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    grads = grad_out @ w, grad_out.T @ x, grad_out.sum(dim=0)
    return tuple(grad.clamp(-5, 5) for grad in grads)


def cross_entropy_backward(logits: Tensor, targets: Tensor) -> Tensor:
    grad = torch.softmax(logits, dim=1)
    grad[torch.arange(len(targets)), targets] -= 1
    return grad / len(targets)
