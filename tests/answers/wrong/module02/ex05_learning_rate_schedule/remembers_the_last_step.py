# names: unlisted
# breaks: "which depends only on the three arguments"
# breaks: "which depends only on the four arguments"
# Never goes up again once it has gone down, whatever it is asked.
import math

lowest = {}


def only_down(key, step, warmup_steps, share):
    if step >= warmup_steps:
        share = lowest[key] = min(share, lowest.get(key, 1.0))
    return share


def warmup_then_linear(step, warmup_steps, total_steps):
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"{warmup_steps} of {total_steps}")
    if step < warmup_steps:
        return step / warmup_steps
    share = max(0.0, (total_steps - step) / (total_steps - warmup_steps))
    return only_down((warmup_steps, total_steps), step, warmup_steps, share)


def cosine_with_floor(step, warmup_steps, total_steps, floor):
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"{warmup_steps} of {total_steps}")
    if step < warmup_steps:
        return step / warmup_steps
    q = min(1, (step - warmup_steps) / (total_steps - warmup_steps))
    share = floor + (1 - floor) * (1 + math.cos(math.pi * q)) / 2
    return only_down((warmup_steps, total_steps, floor), step, warmup_steps, share)
