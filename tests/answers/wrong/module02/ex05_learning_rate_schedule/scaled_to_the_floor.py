# names: not-lifted-by-the-floor
# breaks: "and `floor` at `step = total_steps`"
# Approaches the floor, and forgets to lift the curve by it.
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
        return step / warmup_steps
    q = min(1, (step - warmup_steps) / (total_steps - warmup_steps))
    return (1 - floor) * (1 + math.cos(math.pi * q)) / 2
