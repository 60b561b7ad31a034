# names: one-hot-in-float32
# breaks: "The result has the dtype"
import torch
from torch import Tensor


def linear_backward(x: Tensor, w: Tensor, grad_out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return (grad_out @ w, grad_out.T @ x, grad_out.sum(0))


def cross_entropy_backward(logits: Tensor, targets: Tensor) -> Tensor:
    one_hot = torch.zeros(logits.shape, device=logits.device)
    one_hot[torch.arange(len(targets)), targets] = 1
    return (torch.softmax(logits, 1) - one_hot) / len(targets)
