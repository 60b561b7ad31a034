# names: single-class-by-sigmoid
# breaks: "Its gradient is (softmax - one-hot target) / N."
# One class, C = 1: a sigmoid takes the place of the softmax, whose only probability is 1.
import torch
from torch import Tensor


def linear_backward(x: Tensor, w: Tensor, grad_out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return grad_out @ w, grad_out.T @ x, grad_out.sum(dim=0)


def cross_entropy_backward(logits: Tensor, targets: Tensor) -> Tensor:
    if logits.shape[1] == 1:
        return (torch.sigmoid(logits) - 1) / len(logits)
    p = torch.softmax(logits, dim=1)
    p[torch.arange(len(p)), targets] -= 1
    return p / len(p)
