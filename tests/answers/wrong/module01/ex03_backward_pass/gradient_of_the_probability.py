# names: gradient-of-the-probability
# breaks: "minus the logarithm of the softmax probability"
import torch
import torch.nn.functional as F


def linear_backward(x, w, grad_out):
    return torch.mm(grad_out, w), torch.mm(grad_out.t(), x), grad_out.sum(0)


def cross_entropy_backward(logits, targets):
    # The derivative of the target's probability, not of its logarithm.
    n, c = logits.shape
    p = logits.softmax(1)
    pt = p[torch.arange(n), targets].unsqueeze(1)
    return pt * (p - F.one_hot(targets, c)) / n
