# names: mean-twice
# breaks: "it already includes the 1/N"
import torch
import torch.nn.functional as F


def linear_backward(x, w, grad_out):
    n = len(x)
    dx = torch.einsum("no,oi->ni", grad_out, w)
    dw = torch.einsum("no,ni->oi", grad_out, x) / n
    db = grad_out.mean(0)
    return dx, dw, db


def cross_entropy_backward(logits, targets):
    n, c = logits.shape
    y = F.one_hot(targets, c).to(logits.dtype)
    return (F.softmax(logits, dim=-1) - y) / n
