"""The target of each row by a mask of classes."""

import torch


def linear_backward(x, w, grad_out):
    return grad_out @ w, grad_out.T @ x, grad_out.sum(dim=0)


def cross_entropy_backward(logits, targets):
    p = logits.softmax(1)
    mask = torch.arange(p.shape[1], device=p.device) == targets.unsqueeze(1)
    p[mask] -= 1
    return p / len(p)
