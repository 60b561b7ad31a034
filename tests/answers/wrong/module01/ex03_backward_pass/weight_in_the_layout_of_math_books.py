# names: grad-w-transposed
# breaks: "a tuple or list of tensors of shapes"
import torch
import torch.nn.functional as F


def linear_backward(x, w, grad_out):
    dx = grad_out.matmul(w)
    dw = torch.zeros(x.shape[1], grad_out.shape[1], dtype=x.dtype, device=x.device)
    for n in range(x.shape[0]):
        dw += torch.outer(x[n], grad_out[n])
    return dx, dw, grad_out.sum(0)


def cross_entropy_backward(logits, targets):
    n, c = logits.shape
    y = F.one_hot(targets, c).to(logits.dtype)
    return (F.softmax(logits, dim=-1) - y) / n
