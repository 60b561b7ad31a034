"""Outer products added up row by row; targets read as Python integers."""

import torch


def linear_backward(x, w, grad_out):
    grad_x = torch.empty_like(x)
    grad_w = torch.zeros_like(w)
    grad_b = torch.zeros_like(w[:, 0])
    for n in range(x.shape[0]):
        grad_x[n] = w.T @ grad_out[n]
        grad_w += torch.outer(grad_out[n], x[n])
        grad_b += grad_out[n]
    return grad_x, grad_w, grad_b


def cross_entropy_backward(logits, targets):
    rows = []
    for row, target in zip(logits, targets.tolist(), strict=True):
        exps = torch.exp(row - row.max())
        grad = exps / exps.sum()
        grad[target] -= 1
        rows.append(grad / len(logits))
    return torch.stack(rows)
