# names: exp-overflow
# breaks: "finite and correct even for logits"
import torch


def linear_backward(x, w, grad_out):
    return torch.mm(grad_out, w), torch.mm(grad_out.t(), x), grad_out.sum(0)


def cross_entropy_backward(logits, targets):
    exps = torch.exp(logits)
    probs = exps / exps.sum(dim=-1, keepdim=True)
    n = logits.shape[0]
    probs[torch.arange(n), targets] -= 1
    return probs / n
