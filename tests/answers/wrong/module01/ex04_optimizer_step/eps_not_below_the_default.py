# names: eps-not-below-a-limit
# breaks: "adamw_step: betas, eps, weight_decay: as above"
from typing import NamedTuple

import torch


class AdamWState(NamedTuple):
    step: list
    m: list
    v: list


@torch.no_grad()
def sgd_step(params, grads, velocities, lr, momentum=0.0):
    for i, (p, g) in enumerate(zip(params, grads)):
        velocities[i] = momentum * velocities[i] + g
        p -= lr * velocities[i]


@torch.no_grad()
def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    beta1, beta2 = betas
    for i, (p, g) in enumerate(zip(params, grads)):
        if g is None:
            continue
        state.step[i] += 1
        t = state.step[i]
        state.m[i] = torch.lerp(g, state.m[i], beta1)
        state.v[i] = beta2 * state.v[i] + (1 - beta2) * g * g
        m_hat = state.m[i] / (1 - beta1**t)
        v_hat = state.v[i] / (1 - beta2**t)
        p.copy_(p - lr * weight_decay * p - lr * m_hat / (v_hat.sqrt() + max(eps, 1e-8)))
