# names: missing-mean
# breaks: "averaged over the N rows"
import torch
import torch.nn.functional as F


def linear_backward(x, w, grad_out):
    return torch.mm(grad_out, w), torch.mm(grad_out.t(), x), grad_out.sum(0)


def cross_entropy_backward(logits, targets):
    p = F.softmax(logits, dim=1)
    for i in range(len(targets)):
        p[i, targets[i]] -= 1
    return p
