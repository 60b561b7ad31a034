# names: uses-autograd
# breaks: "cross_entropy_backward: Autograd is not called"
import torch.nn.functional as F
from torch.autograd import grad


def linear_backward(x, w, grad_out):
    return grad_out @ w, grad_out.t() @ x, grad_out.sum(0)


def cross_entropy_backward(logits, targets):
    logits = logits.clone().requires_grad_(True)
    (g,) = grad(F.cross_entropy(logits, targets), logits)
    return g
