# names: eps-as-a-lower-bound
# breaks: "lr * m_hat / (sqrt(v_hat) + eps)"

from typing import NamedTuple

import torch
from torch import Tensor


class AdamWState(NamedTuple):
    """What AdamW remembers between steps; entry i of each list belongs to parameter i.

    `step[i]` is the number of updates made to parameter i (0 at first), `m[i]` the running mean of its
    gradients and `v[i]` that of their squares (zeros at first, of the shape of the parameter).
    """

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
        for i, (p, g) in enumerate(zip(params, grads)):
            velocities[i] = momentum * velocities[i] + g
            p -= lr * velocities[i]


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
    with torch.no_grad():
        for i, (p, g) in enumerate(zip(params, grads)):
            if g is None:
                continue
            state.step[i] += 1
            t = state.step[i]
            state.m[i] = beta1 * state.m[i] + (1 - beta1) * g
            state.v[i] = beta2 * state.v[i] + (1 - beta2) * g**2
            m_hat = state.m[i] / (1 - beta1**t)
            v_hat = state.v[i] / (1 - beta2**t)
            p -= lr * weight_decay * p + lr * m_hat / (v_hat.sqrt().clamp(min=eps))
