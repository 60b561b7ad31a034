# names: torch-optim-called
# breaks: "adamw_step: Write the arithmetic yourself, without `torch.optim`."
from typing import NamedTuple

import torch
from torch import Tensor
from torch.optim import AdamW


class AdamWState(NamedTuple):
    step: list[int]
    m: list[Tensor]
    v: list[Tensor]


@torch.no_grad()
def sgd_step(params, grads, velocities, lr, momentum=0.0):
    for i, p in enumerate(params):
        velocities[i] = momentum * velocities[i] + grads[i]
        p -= lr * velocities[i]


@torch.no_grad()
def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    b1, b2 = betas
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        if g is None:
            continue
        p.grad = g.clone()
        optimizer = AdamW([p], lr=lr, betas=(b1, b2), eps=eps, weight_decay=weight_decay)
        past = {"step": torch.tensor(float(state.step[i])), "exp_avg": state.m[i], "exp_avg_sq": state.v[i]}
        optimizer.state[p].update(past)
        optimizer.step()
        state.step[i] += 1
