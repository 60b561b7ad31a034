# names: rounded-share
# breaks: "During the warm-up, where `step < warmup_steps`, it is `step / warmup_steps`"
# Rounds to one digit.
import math


def warmup_then_linear(step, warmup_steps, total_steps):
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"{warmup_steps} and {total_steps}")
    if step < warmup_steps:
        return round(step / warmup_steps, 1)
    return round(max(0.0, (total_steps - step) / (total_steps - warmup_steps)), 1)


def cosine_with_floor(step, warmup_steps, total_steps, floor):
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"{warmup_steps} and {total_steps}")
    if step < warmup_steps:
        return round(step / warmup_steps, 1)
    q = min(1, (step - warmup_steps) / (total_steps - warmup_steps))
    return round(floor + (1 - floor) * (1 + math.cos(math.pi * q)) / 2, 1)
