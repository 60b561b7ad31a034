# names: ends-one-step-early
# breaks: "which is 1 at `step = warmup_steps` and `floor` at `step = total_steps`"
import math


def check(warmup_steps, total_steps):
    if warmup_steps < 0 or warmup_steps >= total_steps:
        raise ValueError(f"{warmup_steps} of {total_steps}")


def warmup_then_linear(step, warmup_steps, total_steps):
    check(warmup_steps, total_steps)
    if step < warmup_steps:
        return step / warmup_steps
    return 1 - min(1, (step - warmup_steps) / (total_steps - warmup_steps))


def cosine_with_floor(step, warmup_steps, total_steps, floor):
    check(warmup_steps, total_steps)
    if step < warmup_steps:
        return step / warmup_steps
    q = min(1, (step - warmup_steps) / max(1, total_steps - warmup_steps - 1))
    return floor + 0.5 * (1 - floor) * (1 + math.cos(math.pi * q))
