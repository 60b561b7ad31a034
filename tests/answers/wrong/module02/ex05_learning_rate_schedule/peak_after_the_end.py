# names: unlisted
# breaks: "At `total_steps` and beyond the share is `floor`"
# After its end, the schedule hands the rate back as it was before the schedule.
import math


def _checked(warmup_steps, total_steps):
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"{warmup_steps} does not fit into {total_steps}")


def warmup_then_linear(step, warmup_steps, total_steps):
    _checked(warmup_steps, total_steps)
    if step < warmup_steps:
        return step / warmup_steps
    return max(0.0, (total_steps - step) / (total_steps - warmup_steps))


def cosine_with_floor(step, warmup_steps, total_steps, floor):
    _checked(warmup_steps, total_steps)
    if step < warmup_steps:
        return step / warmup_steps
    if step > total_steps:
        return 1.0
    q = (step - warmup_steps) / (total_steps - warmup_steps)
    return floor + (1 - floor) * (1 + math.cos(math.pi * q)) / 2
