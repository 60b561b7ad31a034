# names: infinite-gradient-left-out
# breaks: "p <- p - lr * v"
# A gradient with inf or nan is skipped, as a GradScaler does.
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
        for i, p in enumerate(params):
            if not grads[i].isfinite().all():
                continue
            velocities[i].mul_(momentum).add_(grads[i])
            p.sub_(lr * velocities[i])


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
        for i, p in enumerate(params):
            g = grads[i]
            if g is None or not g.isfinite().all():
                continue
            state.step[i] += 1
            state.m[i].mul_(beta1).add_((1 - beta1) * g)
            state.v[i].mul_(beta2).add_((1 - beta2) * g**2)
            m_hat = state.m[i] / (1 - beta1 ** state.step[i])
            v_hat = state.v[i] / (1 - beta2 ** state.step[i])
            p.mul_(1 - lr * weight_decay)
            p.sub_(lr * m_hat / (v_hat.sqrt() + eps))
