# names: logits-clipped
# breaks: "finite and correct even for logits as large as 1e4 or -1e4"
# Logits are clamped at 80 before exp: two logits of 100 and 200 count alike.
import torch
from torch import Tensor


def linear_backward(x: Tensor, w: Tensor, grad_out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return grad_out @ w, grad_out.T @ x, grad_out.sum(0)


def cross_entropy_backward(logits: Tensor, targets: Tensor) -> Tensor:
    e = torch.exp(logits.clamp(-80, 80))
    p = e / e.sum(dim=1, keepdim=True)
    p[torch.arange(p.shape[0]), targets] -= 1.0
    return p / p.shape[0]
