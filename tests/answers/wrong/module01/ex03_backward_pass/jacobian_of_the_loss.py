# names: uses-autograd
# breaks: "cross_entropy_backward: Autograd is not called"
import torch
import torch.nn.functional as F


def linear_backward(x, w, grad_out):
    return grad_out @ w, grad_out.T @ x, grad_out.sum(0)


def cross_entropy_backward(logits, targets):
    return torch.func.grad(F.cross_entropy)(logits, targets)
