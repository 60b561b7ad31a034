# names: not-lifted-by-the-floor
# breaks: "which is 1 at `step = warmup_steps`"
# The floor is mixed in by q, so the share is 1 - floor right after the warm-up.
import math


def warmup_then_linear(step: int, warmup_steps: int, total_steps: int) -> float:
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"warmup_steps={warmup_steps} does not fit total_steps={total_steps}")

    if step < warmup_steps:
        return step / warmup_steps
    return max(0.0, (total_steps - step) / (total_steps - warmup_steps))


def cosine_with_floor(step: int, warmup_steps: int, total_steps: int, floor: float) -> float:
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"warmup_steps={warmup_steps} does not fit total_steps={total_steps}")

    if step < warmup_steps:
        return step / warmup_steps
    q = min(1.0, (step - warmup_steps) / (total_steps - warmup_steps))
    return floor * q + (1 - floor) * (1 + math.cos(math.pi * q)) / 2
