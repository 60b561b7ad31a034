# names: grad-b-keeps-a-row
# breaks: "a tuple or list of tensors of shapes"
import torch.nn.functional as F


def linear_backward(x, w, grad_out):
    return grad_out @ w, grad_out.T @ x, grad_out.sum(0, keepdim=True)


def cross_entropy_backward(logits, targets):
    n, c = logits.shape
    y = F.one_hot(targets, c).to(logits.dtype)
    return (F.softmax(logits, dim=-1) - y) / n
