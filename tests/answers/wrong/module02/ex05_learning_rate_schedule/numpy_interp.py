# names: returns-a-numpy-number
# breaks: "warmup_then_linear: A Python number from 0 to 1"
import math

import numpy as np


def fit(warmup_steps, total_steps):
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"{warmup_steps} of {total_steps}")


def warmup_then_linear(step, warmup_steps, total_steps):
    fit(warmup_steps, total_steps)
    if step < warmup_steps:
        return step / warmup_steps
    return np.interp(step, [warmup_steps, total_steps], [1.0, 0.0])


def cosine_with_floor(step, warmup_steps, total_steps, floor):
    fit(warmup_steps, total_steps)
    if step < warmup_steps:
        return step / warmup_steps
    q = min(1, (step - warmup_steps) / (total_steps - warmup_steps))
    return floor + (1 - floor) * (1 + math.cos(math.pi * q)) / 2
