# names: matrices-decayed-alone
# breaks: "p <- p - lr * weight_decay * p - lr * m_hat / (sqrt(v_hat) + eps)"
# Biases and norms (one dimension) get no decay, as in many fine-tuning scripts.
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
    with torch.no_grad():
        for i, (p, g) in enumerate(zip(params, grads)):
            if g is None:
                continue
            state.step[i] += 1
            t = state.step[i]
            state.m[i].lerp_(g, 1 - beta1)
            state.v[i].mul_(beta2).addcmul_(g, g, value=1 - beta2)
            m_hat = state.m[i] / (1 - beta1**t)
            v_hat = state.v[i] / (1 - beta2**t)
            if p.ndim > 1:
                p.mul_(1 - lr * weight_decay)
            p.sub_(lr * m_hat / (v_hat.sqrt() + eps))
