# names: numbers-of-the-first-call
# breaks: "which depends only on the three arguments"
# The table of the first call serves all later ones.
import math

_table: list[float] = []


def _build(warmup_steps, total_steps):
    if not 0 <= warmup_steps < total_steps:
        return []
    up = [step / warmup_steps for step in range(warmup_steps)]
    rest = total_steps - warmup_steps
    return up + [1 - step / rest for step in range(rest)]


def warmup_then_linear(step: int, warmup_steps: int, total_steps: int) -> float:
    if not _table:
        _table.extend(_build(warmup_steps, total_steps))

    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"warmup_steps={warmup_steps} does not fit total_steps={total_steps}")

    return _table[step] if step < len(_table) else 0.0


def cosine_with_floor(step: int, warmup_steps: int, total_steps: int, floor: float) -> float:
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"warmup_steps={warmup_steps} does not fit total_steps={total_steps}")

    if step < warmup_steps:
        return step / warmup_steps
    q = min(1.0, (step - warmup_steps) / (total_steps - warmup_steps))
    return floor + (1 - floor) * (1 + math.cos(math.pi * q)) / 2
