"""The form of the library: max(0, what is left / all of it), and the cosine scaled between floor and 1."""

import math


def _validate(warmup_steps, total_steps):
    if warmup_steps >= total_steps or warmup_steps < 0:
        raise ValueError(f"warmup_steps={warmup_steps}, total_steps={total_steps}")


def warmup_then_linear(step, warmup_steps, total_steps):
    _validate(warmup_steps, total_steps)
    if step < warmup_steps:
        return float(step) / float(max(1, warmup_steps))
    return max(0.0, float(total_steps - step) / float(max(1, total_steps - warmup_steps)))


def cosine_with_floor(step, warmup_steps, total_steps, floor):
    _validate(warmup_steps, total_steps)
    if step < warmup_steps:
        return float(step) / float(max(1, warmup_steps))
    if step >= total_steps:
        return floor
    progress = float(step - warmup_steps) / float(max(1, total_steps - warmup_steps))
    factor = 0.5 * (1.0 + math.cos(math.pi * 0.5 * 2.0 * progress))
    return max(0.0, factor * (1 - floor) + floor)
