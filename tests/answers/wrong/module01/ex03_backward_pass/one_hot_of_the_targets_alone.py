# names: classes-counted-from-the-targets
# breaks: "each of them from 0 to C - 1"
import torch
import torch.nn.functional as F


def linear_backward(x, w, grad_out):
    return grad_out @ w, grad_out.T @ x, grad_out.sum(0)


def cross_entropy_backward(logits, targets):
    n, c = logits.shape
    p = torch.softmax(logits, dim=1)
    y = F.one_hot(targets).to(logits.dtype)
    return (p - y) / n
