# names: way-down-during-the-warmup
# breaks: "in a straight line from 1 at `step = warmup_steps`"
# Warm-up times a decay that is counted from step 0: below 1 at the end of the warm-up.
import math


def warmup_then_linear(step: int, warmup_steps: int, total_steps: int) -> float:
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"warmup_steps={warmup_steps} does not fit total_steps={total_steps}")

    up = min(1.0, step / warmup_steps) if warmup_steps > 0 else 1.0
    down = max(0.0, 1 - step / total_steps)
    return up * down


def cosine_with_floor(step: int, warmup_steps: int, total_steps: int, floor: float) -> float:
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"warmup_steps={warmup_steps} does not fit total_steps={total_steps}")

    if step < warmup_steps:
        return step / warmup_steps
    q = min(1.0, (step - warmup_steps) / (total_steps - warmup_steps))
    return floor + (1 - floor) * (1 + math.cos(math.pi * q)) / 2
