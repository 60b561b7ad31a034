"""1.01 · Forward pass: two linear layers with a ReLU between them.

Every network in this course repeats and widens this pattern: multiply, add, clip at zero, multiply, add.
"""

import torch
from torch import Tensor


def forward(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
    """Return the logits of a network with one hidden layer.

    Each row of `x` (its last dimension) goes through a linear layer with `w1` and `b1`, then a ReLU, then a
    linear layer with `w2` and `b2`. Nothing follows the second layer: logits may be negative and need not
    sum to 1.

    Args:
        x: `[..., n_in]`, with any number of leading dimensions, including none; it need not be contiguous.
        w1: `[n_hidden, n_in]`, the layout of `torch.nn.Linear`: one row for each hidden unit.
        b1: `[n_hidden]`.
        w2: `[n_out, n_hidden]`.
        b2: `[n_out]`.
        All five share one floating dtype and one device.

    Returns:
        The logits, `[..., n_out]`, with the leading dimensions of `x`, in its dtype (computed in that or a wider
        one) and on its device, such as a GPU while the CPU is the default. A leading dimension of size 0 is kept: no
        rows give no logits and raise no error.

    The logits are attached to the graph, unless x has no rows: gradients reach each of the five tensors. None of
    the five is changed. Any function of torch may be used.

    Method: https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html (the formula y = x Wᵀ + b)
    """
    # TODO: linear layer, ReLU, linear layer.
    raise NotImplementedError("TODO")
