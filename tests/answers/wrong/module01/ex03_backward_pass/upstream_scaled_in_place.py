# names: input-changed
# breaks: "Results have the dtype and the device of `x`, and the inputs are not changed."
import torch.nn.functional as F


def linear_backward(x, w, grad_out):
    n = len(x)
    grad_out /= n
    grad_x = grad_out @ w * n
    grad_w = grad_out.T @ x * n
    grad_b = grad_out.sum(dim=0) * n
    return grad_x, grad_w, grad_b


def cross_entropy_backward(logits, targets):
    n, c = logits.shape
    y = F.one_hot(targets, c).to(logits.dtype)
    return (F.softmax(logits, dim=-1) - y) / n
