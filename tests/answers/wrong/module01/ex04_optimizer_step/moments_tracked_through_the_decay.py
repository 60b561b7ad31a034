# names: unlisted
# breaks: "adamw_step: The step records no autograd history"
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


def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    # Through .data nothing is recorded; but the moments come from a product with p itself.
    for i, p in enumerate(params):
        g = grads[i]
        if g is None:
            continue
        state.step[i] += 1
        t = state.step[i]
        state.m[i] = betas[0] * state.m[i] + (1 - betas[0]) * g + 0 * p
        state.v[i] = betas[1] * state.v[i] + (1 - betas[1]) * g**2
        m_hat = state.m[i] / (1 - betas[0] ** t)
        v_hat = state.v[i] / (1 - betas[1] ** t)
        p.data -= lr * weight_decay * p.data
        p.data -= (lr * m_hat / (v_hat**0.5 + eps)).detach()
