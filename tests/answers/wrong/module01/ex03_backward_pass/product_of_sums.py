# names: product-of-sums
# breaks: "the gradients of a loss with respect to the input, the weight and the bias"
# The weight's gradient is also summed over the batch of x first: product of sums instead of sum of products.
import torch
import torch.nn.functional as F
from torch import Tensor


def linear_backward(x: Tensor, w: Tensor, grad_out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    grad_x = grad_out @ w
    grad_b = grad_out.sum(dim=0)
    grad_w = torch.outer(grad_b, x.mean(dim=0))
    return grad_x, grad_w, grad_b


def cross_entropy_backward(logits: Tensor, targets: Tensor) -> Tensor:
    p = torch.softmax(logits, dim=1)
    one_hot = F.one_hot(targets, logits.shape[1]).to(p.dtype)
    return (p - one_hot) / logits.shape[0]
