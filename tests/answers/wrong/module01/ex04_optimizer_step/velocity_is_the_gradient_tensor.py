# names: velocity-is-the-gradient
# breaks: "sgd_step: They are not changed."
from typing import NamedTuple

import torch
from torch import Tensor


class AdamWState(NamedTuple):
    step: list[int]
    m: list[Tensor]
    v: list[Tensor]


@torch.no_grad()
def sgd_step(params, grads, velocities, lr, momentum=0.0):
    # The first velocity is the caller's gradient itself, which the next step then changes.
    for i, p in enumerate(params):
        if not velocities[i].any():
            velocities[i] = grads[i]
        else:
            velocities[i].mul_(momentum).add_(grads[i])
        p.sub_(lr * velocities[i])


@torch.no_grad()
def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        if g is None:
            continue
        t = state.step[i] + 1
        m = betas[0] * state.m[i] + (1 - betas[0]) * g
        v = betas[1] * state.v[i] + (1 - betas[1]) * g.pow(2)
        p -= lr * weight_decay * p
        p -= lr * (m / (1 - betas[0] ** t)) / (torch.sqrt(v / (1 - betas[1] ** t)) + eps)
        state.step[i], state.m[i], state.v[i] = t, m, v
