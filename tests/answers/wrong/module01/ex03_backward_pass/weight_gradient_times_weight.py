# names: unlisted
# breaks: "Return the gradients of a loss with respect to the input"
import torch.nn.functional as F


def linear_backward(x, w, grad_out):
    dx = grad_out @ w
    dw = (grad_out.t() @ x) * w
    return dx, dw, grad_out.sum(dim=0)


def cross_entropy_backward(logits, targets):
    n, c = logits.shape
    y = F.one_hot(targets, c).to(logits.dtype)
    return (F.softmax(logits, dim=-1) - y) / n
