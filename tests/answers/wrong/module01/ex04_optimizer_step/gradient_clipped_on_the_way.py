# names: gradient-clipped
# breaks: "m_hat = m / (1 - beta1^t)"
from typing import NamedTuple

import torch
from torch import Tensor


class AdamWState(NamedTuple):
    step: list[int]
    m: list[Tensor]
    v: list[Tensor]


@torch.no_grad()
def sgd_step(params, grads, velocities, lr, momentum=0.0):
    for i in range(len(params)):
        velocities[i] = velocities[i] * momentum + grads[i]
        params[i] -= velocities[i] * lr


@torch.no_grad()
def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        if g is None:
            continue
        g = g.clamp(-1, 1)
        t = state.step[i] + 1
        m = betas[0] * state.m[i] + (1 - betas[0]) * g
        v = betas[1] * state.v[i] + (1 - betas[1]) * g.pow(2)
        p -= lr * weight_decay * p
        p -= lr * (m / (1 - betas[0] ** t)) / (torch.sqrt(v / (1 - betas[1] ** t)) + eps)
        state.step[i], state.m[i], state.v[i] = t, m, v
