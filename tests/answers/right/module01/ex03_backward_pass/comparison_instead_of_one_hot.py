"""The one-hot matrix as a comparison; the mean put in first; float32 inside for small dtypes."""

import torch
import torch.nn.functional as F


def linear_backward(x, w, grad_out):
    return F.linear(grad_out, w.mT), F.linear(grad_out.mT, x.mT), torch.sum(grad_out, 0)


def cross_entropy_backward(logits, targets):
    wide = logits if logits.dtype == torch.float64 else logits.float()
    is_target = torch.arange(logits.shape[1], device=logits.device) == targets[:, None]
    weight = 1 / len(targets)
    grad = weight * F.softmax(wide, dim=-1)
    return torch.where(is_target, grad - weight, grad).to(logits.dtype)
