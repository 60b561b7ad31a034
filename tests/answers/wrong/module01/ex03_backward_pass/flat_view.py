# names: views-refused
# breaks: "The inputs may be views that are not contiguous."
import torch
import torch.nn.functional as F


def linear_backward(x, w, grad_out):
    rows = torch.stack(grad_out.view(-1).split(grad_out.shape[1]))
    return rows @ w, rows.T @ x, rows.sum(0)


def cross_entropy_backward(logits, targets):
    n, c = logits.shape
    p = torch.softmax(logits, dim=1)
    y = F.one_hot(targets, c).to(logits.dtype)
    return (p - y) / n
