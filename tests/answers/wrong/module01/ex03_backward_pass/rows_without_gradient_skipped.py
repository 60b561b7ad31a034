# names: tiny-gradients-skipped
# breaks: "It may hold any numbers"
# grad_out tiny: rows whose gradient is below 1e-12 are skipped as zero.
import torch
from torch import Tensor


def linear_backward(x: Tensor, w: Tensor, grad_out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    alive = (grad_out.abs() > 1e-12).any(dim=1)
    grad_x = torch.zeros_like(x)
    grad_x[alive] = grad_out[alive] @ w
    return grad_x, grad_out[alive].T @ x[alive], grad_out[alive].sum(dim=0)


def cross_entropy_backward(logits: Tensor, targets: Tensor) -> Tensor:
    p = torch.softmax(logits, dim=1)
    p[torch.arange(len(p)), targets] -= 1
    return p / len(p)
