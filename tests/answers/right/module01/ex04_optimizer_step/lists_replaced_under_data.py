"""New tensors for velocities and moments, parameters through .data, state unpacked as a tuple."""

from typing import NamedTuple

from torch import Tensor


class AdamWState(NamedTuple):
    step: list[int]
    m: list[Tensor]
    v: list[Tensor]


def sgd_step(params, grads, velocities, lr, momentum=0.0):
    for i, (p, g, v) in enumerate(zip(params, grads, velocities, strict=True)):
        velocities[i] = momentum * v + g
        p.data -= lr * velocities[i]


def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    counts, firsts, seconds = state
    b1, b2 = betas
    for i, (param, grad) in enumerate(zip(params, grads, strict=True)):
        if grad is not None:
            counts[i] = counts[i] + 1
            firsts[i] = b1 * firsts[i] + (1 - b1) * grad
            seconds[i] = b2 * seconds[i] + (1 - b2) * grad * grad
            denominator = (seconds[i] / (1 - b2 ** counts[i])) ** 0.5 + eps
            direction = firsts[i] / (1 - b1 ** counts[i]) / denominator
            param.data = param.data - lr * (direction + weight_decay * param.data)
