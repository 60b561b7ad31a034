"""A named result; the softmax written out; one entry of each row lowered in place."""

from typing import NamedTuple

import torch
from torch import Tensor


class LinearGrads(NamedTuple):
    x: Tensor
    w: Tensor
    b: Tensor


def linear_backward(x, w, grad_out):
    ones = grad_out.new_ones(grad_out.shape[0])
    return LinearGrads(x=torch.mm(grad_out, w), w=torch.mm(x.t(), grad_out).t(), b=ones @ grad_out)


def cross_entropy_backward(logits, targets):
    n = logits.shape[0]
    shifted = logits - logits.amax(dim=1, keepdim=True)
    p = shifted.exp_()
    p /= p.sum(dim=1, keepdim=True)
    p[torch.arange(n), targets] -= 1
    p /= n
    return p
