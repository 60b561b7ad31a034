# names: one-number-in-the-message
# breaks: "warmup_then_linear: ValueError: unless `0 <= warmup_steps < total_steps`, at any step"
# breaks: "cosine_with_floor: ValueError: unless `0 <= warmup_steps < total_steps`, at any step"

import math


def warmup_then_linear(step, warmup_steps, total_steps):
    if warmup_steps < 0:
        raise ValueError(f"warmup_steps must not be negative, got {warmup_steps}")
    if warmup_steps >= total_steps:
        raise ValueError(f"warmup_steps ({warmup_steps}) must be below total_steps ({total_steps})")
    if step < warmup_steps:
        return step / warmup_steps
    return max(0.0, (total_steps - step) / (total_steps - warmup_steps))


def cosine_with_floor(step, warmup_steps, total_steps, floor):
    if warmup_steps < 0:
        raise ValueError(f"warmup_steps must not be negative, got {warmup_steps}")
    if warmup_steps >= total_steps:
        raise ValueError(f"warmup_steps ({warmup_steps}) must be below total_steps ({total_steps})")
    if step < warmup_steps:
        return step / warmup_steps
    q = min(1.0, (step - warmup_steps) / (total_steps - warmup_steps))
    return floor + (1 - floor) * (1 + math.cos(math.pi * q)) / 2
