"""Linear interpolation between the corners, by numpy; the cosine bends the line."""

import numpy as np


def _check(warmup_steps, total_steps):
    if warmup_steps < 0 or total_steps <= warmup_steps:
        raise ValueError(f"warm-up of {warmup_steps} steps does not fit into {total_steps}")


def warmup_then_linear(step, warmup_steps, total_steps):
    _check(warmup_steps, total_steps)
    corners = [(0, 0.0)] if warmup_steps else []
    corners += [(warmup_steps, 1.0), (total_steps, 0.0)]
    xs, ys = zip(*corners, strict=True)
    return float(np.interp(step, xs, ys))


def cosine_with_floor(step, warmup_steps, total_steps, floor):
    line = warmup_then_linear(step, warmup_steps, total_steps)
    if step < warmup_steps:
        return line
    return floor + (1 - floor) * float(np.sin(np.pi / 2 * line)) ** 2
