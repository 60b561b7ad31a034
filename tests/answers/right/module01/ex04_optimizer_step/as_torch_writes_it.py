"""lerp, addcmul and addcdiv, corrections moved into the step size, a decorator for no_grad."""

import math
from typing import NamedTuple

import torch
from torch import Tensor


class AdamWState(NamedTuple):
    step: list[int]
    m: list[Tensor]
    v: list[Tensor]


@torch.no_grad()
def sgd_step(params, grads, velocities, lr, momentum=0.0):
    if momentum == 0:
        for p, g in zip(params, grads, strict=True):
            p.add_(g, alpha=-lr)
        return
    for p, g, buffer in zip(params, grads, velocities, strict=True):
        buffer.mul_(momentum).add_(g)
        p.add_(buffer, alpha=-lr)


@torch.no_grad()
def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    beta1, beta2 = betas
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        if g is None:
            continue
        state.step[i] += 1
        p.mul_(1 - lr * weight_decay)
        state.m[i].lerp_(g, 1 - beta1)
        state.v[i].mul_(beta2).addcmul_(g, g, value=1 - beta2)
        step_size = lr / (1 - beta1 ** state.step[i])
        denom = (state.v[i].sqrt() / math.sqrt(1 - beta2 ** state.step[i])).add_(eps)
        p.addcdiv_(state.m[i], denom, value=-step_size)
