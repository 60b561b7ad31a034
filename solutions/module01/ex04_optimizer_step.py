"""1.04 · Optimizer step: how SGD with momentum and AdamW turn gradients into updates.

`optimizer.step()` does no more than this: a few lines of arithmetic for each parameter.
"""

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
    """Make one step of stochastic gradient descent with momentum.

    For each parameter p with gradient g and velocity v, in torch's order:

        v <- momentum * v + g
        p <- p - lr * v

    Args:
        params: leaf tensors that require grad. Each is changed in place.
        grads: one gradient for each parameter, of the same shape. They are not changed.
        velocities: one tensor for each parameter, zeros before the first step. On return this list holds
            the new velocities, changed in place or replaced. With momentum 0 its content is not promised.
        lr: the learning rate; it may differ from call to call. It is not part of the velocity.
        momentum: from 0 to below 1.

    Nothing is returned. The three lists have the same length. No gradient requires grad. Dtypes do not change. The
    step records no autograd history: parameters stay leaves that require grad, velocities do not require grad. Write
    the arithmetic yourself, without `torch.optim`.

    Method: https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html
    """
    # BEGIN SOLUTION: for each parameter, update its velocity, then move against it.
    with torch.no_grad():
        for i, p in enumerate(params):
            velocities[i].mul_(momentum).add_(grads[i])
            p.sub_(lr * velocities[i])
    # END SOLUTION


def adamw_step(
    params: list[Tensor],
    grads: list[Tensor | None],
    state: AdamWState,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> None:
    """Make one step of AdamW: Adam with weight decay that does not pass through the moments.

    For each parameter p with gradient g, where t counts its updates, this one included:

        m <- beta1 * m + (1 - beta1) * g
        v <- beta2 * v + (1 - beta2) * g²
        m_hat = m / (1 - beta1^t)
        v_hat = v / (1 - beta2^t)
        p <- p - lr * weight_decay * p - lr * m_hat / (sqrt(v_hat) + eps)     (p on the right: before the step)

    Args:
        params: leaf tensors that require grad. Each is changed in place.
        grads: one gradient for each parameter, of the same shape, or None. They are not changed. A parameter whose
            gradient is None is skipped entirely: no decay, no change to its m and v, no step counted.
        state: see AdamWState. On return its lists hold the new values; their tensors may be changed in
            place or replaced.
        lr: the learning rate; it may differ from call to call.
        betas, eps, weight_decay: as above.

    Nothing is returned. All lists have the same length. No gradient requires grad. Dtypes do not change. The step
    records no autograd history: parameters stay leaves that require grad, m and v do not require grad. Write the
    arithmetic yourself, without `torch.optim`.

    Method: Loshchilov and Hutter, Decoupled Weight Decay Regularization, algorithm 2 (with schedule 1),
    https://arxiv.org/abs/1711.05101; the decay times lr, as in
    https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html
    """
    # BEGIN SOLUTION: for each parameter with a gradient: count, both moments, corrections, decay, update.
    beta1, beta2 = betas
    with torch.no_grad():
        for i, p in enumerate(params):
            g = grads[i]
            if g is None:
                continue
            state.step[i] += 1
            state.m[i].mul_(beta1).add_((1 - beta1) * g)
            state.v[i].mul_(beta2).add_((1 - beta2) * g**2)
            m_hat = state.m[i] / (1 - beta1 ** state.step[i])
            v_hat = state.v[i] / (1 - beta2 ** state.step[i])
            p.mul_(1 - lr * weight_decay)
            p.sub_(lr * m_hat / (v_hat.sqrt() + eps))
    # END SOLUTION
