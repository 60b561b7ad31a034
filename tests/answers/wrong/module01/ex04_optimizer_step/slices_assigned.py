# names: scalar-sliced
# breaks: "sgd_step: Each is changed in place."
# A slice (p[:] = ...) can't index a tensor without dimensions: a scalar parameter raises.
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
        for p, g, v in zip(params, grads, velocities, strict=True):
            v[:] = momentum * v + g
            p[:] = p - lr * v


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
            state.m[i].mul_(beta1).add_(g, alpha=1 - beta1)
            state.v[i].mul_(beta2).addcmul_(g, g, value=1 - beta2)
            m_hat = state.m[i] / (1 - beta1**t)
            v_hat = state.v[i] / (1 - beta2**t)
            p.mul_(1 - lr * weight_decay).sub_(lr * m_hat / (v_hat.sqrt() + eps))
