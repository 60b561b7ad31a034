# names: equal-not-rejected
# breaks: "warmup_then_linear: ValueError: unless `0 <= warmup_steps < total_steps`"
# breaks: "cosine_with_floor: ValueError: unless `0 <= warmup_steps < total_steps`"

import math


def warmup_then_linear(step, warmup_steps, total_steps):
    if warmup_steps < 0 or warmup_steps > total_steps:
        raise ValueError(f"the warm-up of {warmup_steps} steps does not fit into {total_steps}")
    if step < warmup_steps:
        return step / warmup_steps
    return max(0.0, (total_steps - step) / max(1, total_steps - warmup_steps))


def cosine_with_floor(step, warmup_steps, total_steps, floor):
    if warmup_steps < 0 or warmup_steps > total_steps:
        raise ValueError(f"the warm-up of {warmup_steps} steps does not fit into {total_steps}")
    if step < warmup_steps:
        return step / warmup_steps
    q = min(1.0, (step - warmup_steps) / max(1, total_steps - warmup_steps))
    return floor + (1 - floor) * (1 + math.cos(math.pi * q)) / 2
