# names: input-changed
# breaks: "The result has the dtype and the device of `logits`, and the inputs are not changed."
import torch
import torch.nn.functional as F


def linear_backward(x, w, grad_out):
    return grad_out @ w, grad_out.T @ x, grad_out.sum(0)


def cross_entropy_backward(logits, targets):
    n, c = logits.shape
    logits -= logits.max(dim=1, keepdim=True).values
    p = torch.softmax(logits, dim=1)
    y = F.one_hot(targets, c).to(logits.dtype)
    return (p - y) / n
