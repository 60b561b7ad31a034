"""1.03 · Backward pass: compute the gradients of a layer and of the loss by hand.

This is all that autograd does: it applies one rule per operation, from the loss backward.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def linear_backward(x: Tensor, w: Tensor, grad_out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of a loss with respect to the input, the weight and the bias of `y = x @ w.T + b`.

    Args:
        x: the layer's input, `[N, I]`.
        w: its weight, `[O, I]`, in the layout of `torch.nn.Linear`.
        grad_out: the gradient of the loss with respect to y, `[N, O]`. It may hold any numbers. If the loss is a
            mean over the batch, it already includes the 1/N.

    Returns:
        `(grad_x, grad_w, grad_b)`, a tuple or list of tensors of shapes `[N, I]`, `[O, I]` and `[O]`.

    N is at least 1. Results have the dtype and the device of `x`, and the inputs are not changed. The inputs may be
    views that are not contiguous. Autograd is not called: no `backward`, `torch.autograd.grad` or `torch.func`. The
    inputs do not require grad.

    Method: https://cs231n.github.io/optimization-2/ ("Gradients for vectorized operations")
    """
    # TODO: a product for x, a product for w, a sum for b; the shapes tell which.
    raise NotImplementedError("TODO")


def cross_entropy_backward(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the gradient of the mean cross-entropy loss with respect to the logits.

    The loss is `F.cross_entropy(logits, targets)`: for each row, minus the logarithm of the softmax probability of
    its target, averaged over the N rows. Its gradient is (softmax - one-hot target) / N.

    Args:
        logits: one row of scores for each example, `[N, C]`.
        targets: the class of each example, int64 `[N]`, each of them from 0 to C - 1.

    Returns:
        The gradient, `[N, C]`; finite and correct even for logits as large as 1e4 or -1e4.

    N is at least 1. The result has the dtype and the device of `logits`, and the inputs are not changed.
    `torch.softmax` and `F.one_hot` are allowed. Autograd is not called (see above).

    Method: Goodfellow, Bengio, Courville, Deep Learning (2016), section 6.2.2.3 and algorithm 6.4,
    https://www.deeplearningbook.org/contents/mlp.html
    """
    # TODO: the probabilities, minus the targets as one-hot rows, over the number of rows.
    raise NotImplementedError("TODO")
