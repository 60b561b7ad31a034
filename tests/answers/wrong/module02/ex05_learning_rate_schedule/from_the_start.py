# names: decay-measured-from-0
# breaks: "From then on it falls in a straight line from 1 at `step = warmup_steps`"
# breaks: "the share is as follows, where q is the fraction of the way from `warmup_steps` to `total_steps`"
import math


def warmup_then_linear(step, warmup_steps, total_steps):
    if warmup_steps < 0 or warmup_steps >= total_steps:
        raise ValueError(f"bad warm-up {warmup_steps} for {total_steps}")
    if step < warmup_steps:
        return step / warmup_steps
    return max(0.0, 1 - step / total_steps)


def cosine_with_floor(step, warmup_steps, total_steps, floor):
    if warmup_steps < 0 or warmup_steps >= total_steps:
        raise ValueError(f"bad warm-up {warmup_steps} for {total_steps}")
    if step < warmup_steps:
        return step / warmup_steps
    p = min(step / total_steps, 1)
    return floor + 0.5 * (1 - floor) * (1 + math.cos(math.pi * p))
