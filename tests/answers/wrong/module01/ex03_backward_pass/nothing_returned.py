# names: nothing-returned
# breaks: "a tuple or list of tensors of shapes"
import torch.nn.functional as F


def linear_backward(x, w, grad_out):
    grad_x = grad_out @ w
    grad_w = grad_out.T @ x
    grad_b = grad_out.sum(dim=0)
    print(grad_x, grad_w, grad_b)


def cross_entropy_backward(logits, targets):
    n, c = logits.shape
    y = F.one_hot(targets, c).to(logits.dtype)
    return (F.softmax(logits, dim=-1) - y) / n
