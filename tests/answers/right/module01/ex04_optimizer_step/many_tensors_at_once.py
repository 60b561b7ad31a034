"""torch._foreach_* over all parameters that have a gradient; the state is a dataclass."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class AdamWState:
    step: list[int]
    m: list[Tensor]
    v: list[Tensor]


def sgd_step(params, grads, velocities, lr, momentum=0.0):
    with torch.no_grad():
        torch._foreach_mul_(velocities, momentum)
        torch._foreach_add_(velocities, grads)
        torch._foreach_add_(params, velocities, alpha=-lr)


def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    used = [i for i, g in enumerate(grads) if g is not None]
    if not used:
        return  # _foreach_ refuses empty lists.
    p, g = [params[i] for i in used], [grads[i] for i in used]
    m, v = [state.m[i] for i in used], [state.v[i] for i in used]
    for i in used:
        state.step[i] += 1
    with torch.no_grad():
        torch._foreach_mul_(m, betas[0])
        torch._foreach_add_(m, g, alpha=1 - betas[0])
        torch._foreach_mul_(v, betas[1])
        torch._foreach_addcmul_(v, g, g, value=1 - betas[1])
        torch._foreach_mul_(p, 1 - lr * weight_decay)
        for i, param, mean, square in zip(used, p, m, v, strict=True):
            root = (square / (1 - betas[1] ** state.step[i])).sqrt_()
            param -= lr * mean / (1 - betas[0] ** state.step[i]) / (root + eps)
