# names: negative-after-the-end
# breaks: "warmup_then_linear: At `total_steps` and beyond the share is 0"
import math


def valid(w, t):
    if w < 0 or w >= t:
        raise ValueError(f"{w} {t}")


def warmup_then_linear(step, warmup_steps, total_steps):
    valid(warmup_steps, total_steps)
    if step < warmup_steps:
        return step / warmup_steps
    return (total_steps - step) / (total_steps - warmup_steps)


def cosine_with_floor(step, warmup_steps, total_steps, floor):
    valid(warmup_steps, total_steps)
    if step < warmup_steps:
        return step / warmup_steps
    p = min(total_steps, step) - warmup_steps
    return floor + (1 - floor) * (math.cos(math.pi * p / (total_steps - warmup_steps)) + 1) / 2
