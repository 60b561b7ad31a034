# names: count-outside-the-state
# breaks: "where t counts its updates, this one included"
from typing import NamedTuple

import torch
from torch import Tensor


class AdamWState(NamedTuple):
    step: list[int]
    m: list[Tensor]
    v: list[Tensor]


@torch.no_grad()
def sgd_step(params, grads, velocities, lr, momentum=0.0):
    for i, p in enumerate(params):
        velocities[i] = momentum * velocities[i] + grads[i]
        p -= lr * velocities[i]


COUNTS = {}


@torch.no_grad()
def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    b1, b2 = betas
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        if g is None:
            continue
        state.step[i] += 1
        t = COUNTS[i] = COUNTS.get(i, 0) + 1
        m = b1 * state.m[i] + (1 - b1) * g
        v = b2 * state.v[i] + (1 - b2) * g * g
        state.m[i], state.v[i] = m, v
        m_hat = m / (1 - b1**t)
        v_hat = v / (1 - b2**t)
        p -= lr * weight_decay * p + lr * m_hat / (v_hat.sqrt() + eps)
