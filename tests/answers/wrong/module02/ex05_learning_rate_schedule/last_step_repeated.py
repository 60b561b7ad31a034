# names: capped-a-step-before-the-end
# breaks: "At `total_steps` and beyond the share is 0."
# The share of the last step stays, so it is above 0 from total_steps on.
import math


def warmup_then_linear(step: int, warmup_steps: int, total_steps: int) -> float:
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"warmup_steps={warmup_steps} does not fit total_steps={total_steps}")

    step = min(step, total_steps - 1)
    if step < warmup_steps:
        return step / warmup_steps
    return (total_steps - step) / (total_steps - warmup_steps)


def cosine_with_floor(step: int, warmup_steps: int, total_steps: int, floor: float) -> float:
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"warmup_steps={warmup_steps} does not fit total_steps={total_steps}")

    if step < warmup_steps:
        return step / warmup_steps
    q = min(1.0, (step - warmup_steps) / (total_steps - warmup_steps))
    return floor + (1 - floor) * (1 + math.cos(math.pi * q)) / 2
