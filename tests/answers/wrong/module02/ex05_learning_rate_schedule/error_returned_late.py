# names: checked-too-late
# breaks: "warmup_then_linear: ValueError: unless `0 <= warmup_steps < total_steps`, at any step"
# breaks: "cosine_with_floor: ValueError: unless `0 <= warmup_steps < total_steps`, at any step"
# Finds out only after the warm-up that the numbers do not fit.
import math


def warmup_then_linear(step, warmup_steps, total_steps):
    if step < warmup_steps:
        return step / warmup_steps
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"{warmup_steps} and {total_steps}")
    return max(0.0, (total_steps - step) / (total_steps - warmup_steps))


def cosine_with_floor(step, warmup_steps, total_steps, floor):
    if step < warmup_steps:
        return step / warmup_steps
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"{warmup_steps} and {total_steps}")
    q = min(1, (step - warmup_steps) / (total_steps - warmup_steps))
    return floor + (1 - floor) * (1 + math.cos(math.pi * q)) / 2
