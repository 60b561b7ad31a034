# names: unlisted
# breaks: "gradients reach each of the five tensors"
# Its own backward flattens with flatten(0, -2), which fails for a single row.
import torch
from torch import Tensor


class Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(x, weight)
        return x @ weight.T + bias

    @staticmethod
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        rows, upstream = x.flatten(0, -2), grad.flatten(0, -2)
        return grad @ weight, upstream.T @ rows, upstream.sum(0)


def forward(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
    return Linear.apply(torch.relu(Linear.apply(x, w1, b1)), w2, b2)
