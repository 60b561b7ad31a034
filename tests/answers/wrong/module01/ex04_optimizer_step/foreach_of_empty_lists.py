# names: empty-list-of-tensors
# breaks: "A parameter whose gradient is None is skipped entirely"
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
        live = [i for i, g in enumerate(grads) if g is not None]
        ps, gs = ([params[i] for i in live], [grads[i] for i in live])
        ms, vs = ([state.m[i] for i in live], [state.v[i] for i in live])
        torch._foreach_mul_(ps, 1 - lr * weight_decay)
        torch._foreach_mul_(ms, beta1)
        torch._foreach_add_(ms, gs, alpha=1 - beta1)
        torch._foreach_mul_(vs, beta2)
        torch._foreach_addcmul_(vs, gs, gs, value=1 - beta2)
        for i, p, m, v in zip(live, ps, ms, vs):
            state.step[i] += 1
            t = state.step[i]
            p.sub_(lr * (m / (1 - beta1**t)) / ((v / (1 - beta2**t)).sqrt() + eps))
