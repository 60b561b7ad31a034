# names: one-maximum-for-the-whole-batch
# breaks: "finite and correct even for logits"
import torch
from torch import Tensor


def linear_backward(x: Tensor, w: Tensor, grad_out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return (grad_out @ w, grad_out.T @ x, grad_out.sum(0))


def cross_entropy_backward(logits: Tensor, targets: Tensor) -> Tensor:
    e = torch.exp(logits - logits.max())
    grad = e / e.sum(dim=1, keepdim=True)
    grad[torch.arange(len(targets)), targets] -= 1
    return grad / len(targets)
