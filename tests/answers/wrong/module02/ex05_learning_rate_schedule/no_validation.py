# names: not-rejected
# breaks: "warmup_then_linear: ValueError: unless"
# breaks: "cosine_with_floor: ValueError: unless"
import math


def warmup_then_linear(step, warmup_steps, total_steps):
    if step < warmup_steps:
        return step / warmup_steps
    return 1 - min(1, (step - warmup_steps) / (total_steps - warmup_steps))


def cosine_with_floor(step, warmup_steps, total_steps, floor):
    if step < warmup_steps:
        return step / warmup_steps
    p = min(1, (step - warmup_steps) / (total_steps - warmup_steps))
    return floor + (1 - floor) * (1 + math.cos(math.pi * p)) / 2
