# names: uses-autograd
# breaks: "linear_backward: Autograd is not called"
import torch
import torch.nn.functional as F


def linear_backward(x, w, grad_out):
    b = torch.zeros(w.shape[0], dtype=x.dtype, device=x.device)
    _, pullback = torch.func.vjp(F.linear, x, w, b)
    return pullback(grad_out)


def cross_entropy_backward(logits, targets):
    n, c = logits.shape
    y = F.one_hot(targets, c).to(logits.dtype)
    return (F.softmax(logits, dim=-1) - y) / n
