# names: no-one-hot
# breaks: "Its gradient is (softmax - one-hot target) / N."
import torch


def linear_backward(x, w, grad_out):
    return torch.mm(grad_out, w), torch.mm(grad_out.t(), x), grad_out.sum(0)


def cross_entropy_backward(logits, targets):
    e = (logits - logits.max(dim=1, keepdim=True).values).exp()
    return e / e.sum(1, keepdim=True) / logits.shape[0]
