"""Every entry on its own, with Python floats."""

import math
from typing import NamedTuple

import torch
from torch import Tensor


class AdamWState(NamedTuple):
    step: list[int]
    m: list[Tensor]
    v: list[Tensor]


def sgd_step(params, grads, velocities, lr, momentum=0.0):
    for p, g, v in zip(params, grads, velocities, strict=True):
        flat_p, flat_v = p.detach().view(-1), v.view(-1)
        for k, gradient in enumerate(g.reshape(-1).tolist()):
            flat_v[k] = momentum * flat_v[k].item() + gradient
            flat_p[k] -= lr * flat_v[k].item()


def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    beta1, beta2 = betas
    for i, p in enumerate(params):
        if grads[i] is None:
            continue
        t = state.step[i] = state.step[i] + 1
        new_p, new_m, new_v = [], [], []
        entries = [x.detach().reshape(-1).tolist() for x in (p, grads[i], state.m[i], state.v[i])]
        for theta, g, m, v in zip(*entries, strict=True):
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g * g
            update = (m / (1 - beta1**t)) / (math.sqrt(v / (1 - beta2**t)) + eps)
            new_p.append(theta - lr * update - lr * weight_decay * theta)
            new_m.append(m)
            new_v.append(v)
        for target, values in ((p, new_p), (state.m[i], new_m), (state.v[i], new_v)):
            target.data.copy_(torch.tensor(values, dtype=p.dtype).reshape(p.shape))
