# names: uses-autograd
# breaks: "linear_backward: Autograd is not called"
import torch
import torch.nn.functional as F


def linear_backward(x, w, grad_out):
    b = w.new_zeros(w.shape[0])
    return torch.autograd.functional.vjp(F.linear, (x, w, b), grad_out)[1]


def cross_entropy_backward(logits, targets):
    n, c = logits.shape
    p = torch.softmax(logits, dim=1)
    y = F.one_hot(targets, c).to(logits.dtype)
    return (p - y) / n
