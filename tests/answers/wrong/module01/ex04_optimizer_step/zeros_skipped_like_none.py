# names: zero-gradient-skipped
# breaks: "m_hat = m / (1 - beta1^t)"
from typing import NamedTuple

import torch
from torch import Tensor


class AdamWState(NamedTuple):
    step: list[int]
    m: list[Tensor]
    v: list[Tensor]


def sgd_step(
    params: list[Tensor], grads: list[Tensor], velocities: list[Tensor], lr: float, momentum: float = 0.0
) -> None:
    with torch.no_grad():
        for i, (p, g) in enumerate(zip(params, grads)):
            velocities[i] = momentum * velocities[i] + g
            p -= lr * velocities[i]


def adamw_step(
    params: list[Tensor],
    grads: list[Tensor | None],
    state: AdamWState,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-08,
    weight_decay: float = 0.01,
) -> None:
    beta1, beta2 = betas
    with torch.no_grad():
        for i, (p, g) in enumerate(zip(params, grads)):
            if g is None or not g.any():
                continue
            state.step[i] += 1
            t = state.step[i]
            state.m[i] = beta1 * state.m[i] + (1 - beta1) * g
            state.v[i] = beta2 * state.v[i] + (1 - beta2) * g**2
            m_hat = state.m[i] / (1 - beta1**t)
            v_hat = state.v[i] / (1 - beta2**t)
            p -= lr * weight_decay * p + lr * m_hat / (v_hat.sqrt() + eps)
