# names: warmup-on-a-curve
# breaks: "The warm-up is that of `warmup_then_linear`"
# Warms up along a cosine too.
import math


def warmup_then_linear(step, warmup_steps, total_steps):
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"{warmup_steps} and {total_steps}")
    if step < warmup_steps:
        return step / warmup_steps
    return max(0.0, (total_steps - step) / (total_steps - warmup_steps))


def cosine_with_floor(step, warmup_steps, total_steps, floor):
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"{warmup_steps} and {total_steps}")
    if step < warmup_steps:
        return (1 - math.cos(math.pi * step / warmup_steps)) / 2
    q = min(1, (step - warmup_steps) / (total_steps - warmup_steps))
    return floor + (1 - floor) * (1 + math.cos(math.pi * q)) / 2
