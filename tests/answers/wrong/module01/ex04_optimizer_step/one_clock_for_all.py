# names: one-step-for-all
# breaks: "`step[i]` is the number of updates made to parameter i"
# One count for all: a parameter that was skipped gets the correction of the others.
from typing import NamedTuple

import torch
from torch import Tensor


class AdamWState(NamedTuple):
    step: list[int]
    m: list[Tensor]
    v: list[Tensor]


def sgd_step(
    params: list[Tensor],
    grads: list[Tensor],
    velocities: list[Tensor],
    lr: float,
    momentum: float = 0.0,
) -> None:
    with torch.no_grad():
        for p, g, v in zip(params, grads, velocities):
            v.mul_(momentum).add_(g)
            p.sub_(lr * v)


def adamw_step(
    params: list[Tensor],
    grads: list[Tensor | None],
    state: AdamWState,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> None:
    beta1, beta2 = betas
    t = max(state.step) + 1
    with torch.no_grad():
        for i, (p, g) in enumerate(zip(params, grads)):
            if g is None:
                continue
            state.step[i] = t
            state.m[i] = state.m[i] * beta1 + g * (1 - beta1)
            state.v[i] = state.v[i] * beta2 + g**2 * (1 - beta2)
            m_hat = state.m[i] / (1 - beta1**t)
            v_hat = state.v[i] / (1 - beta2**t)
            p.copy_(p - lr * weight_decay * p - lr * m_hat / (torch.sqrt(v_hat) + eps))
