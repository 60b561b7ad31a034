# names: another-number-than-the-maximum
# breaks: "finite and correct even for logits as large as 1e4 or -1e4"

import torch
from torch import Tensor


def linear_backward(x: Tensor, w: Tensor, grad_out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return grad_out @ w, grad_out.T @ x, grad_out.sum(dim=0)


def cross_entropy_backward(logits: Tensor, targets: Tensor) -> Tensor:
    exps = torch.exp(logits - logits.mean(dim=1, keepdim=True))
    probabilities = exps / exps.sum(dim=1, keepdim=True)
    hot = torch.nn.functional.one_hot(targets, logits.shape[1])
    return (probabilities - hot) / logits.shape[0]
