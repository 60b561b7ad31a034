# names: grad-w-reshaped
# breaks: "Return the gradients of a loss with respect to the input"
import torch
import torch.nn.functional as F
from torch import Tensor


def linear_backward(x: Tensor, w: Tensor, grad_out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    grad_x = grad_out @ w
    grad_w = (x.T @ grad_out).reshape(w.shape)
    grad_b = grad_out.sum(dim=0)
    return (grad_x, grad_w, grad_b)


def cross_entropy_backward(logits: Tensor, targets: Tensor) -> Tensor:
    probs = torch.softmax(logits, dim=1)
    return (probs - F.one_hot(targets, logits.shape[1])) / len(logits)
