# names: results-in-another-order
# breaks: "(grad_x, grad_w, grad_b)"
import torch
import torch.nn.functional as F
from torch import Tensor


def linear_backward(x: Tensor, w: Tensor, grad_out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return (grad_out @ w, grad_out.sum(0), grad_out.T @ x)


def cross_entropy_backward(logits: Tensor, targets: Tensor) -> Tensor:
    return (torch.softmax(logits, dim=1) - F.one_hot(targets, logits.shape[1])) / len(logits)
