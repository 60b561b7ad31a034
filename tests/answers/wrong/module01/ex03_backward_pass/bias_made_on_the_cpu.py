# names: made-on-the-default-device
# breaks: "Results have the dtype and the device of `x`, and the inputs are not changed."
import torch
import torch.nn.functional as F


def linear_backward(x, w, grad_out):
    return grad_out @ w, grad_out.T @ x, torch.ones(len(x), dtype=x.dtype) @ grad_out


def cross_entropy_backward(logits, targets):
    n, c = logits.shape
    p = torch.softmax(logits, dim=1)
    y = F.one_hot(targets, c).to(logits.dtype)
    return (p - y) / n
