"""One function with the parts as cases, used by both."""

from math import cos, pi


def position(step, warmup_steps, total_steps):
    """("up", share) or ("down", part of the way)."""
    match (0 <= warmup_steps, warmup_steps < total_steps):
        case (True, True):
            pass
        case _:
            raise ValueError(f"{warmup_steps} of {total_steps}")
    if step < warmup_steps:
        return "up", step / warmup_steps
    if step < total_steps:
        return "down", (step - warmup_steps) / (total_steps - warmup_steps)
    return "down", 1.0


def warmup_then_linear(step, warmup_steps, total_steps):
    match position(step, warmup_steps, total_steps):
        case "up", share:
            return share
        case _, part:
            return 1 - part


def cosine_with_floor(step, warmup_steps, total_steps, floor):
    match position(step, warmup_steps, total_steps):
        case "up", share:
            return share
        case _, part:
            middle, radius = (1 + floor) / 2, (1 - floor) / 2
            return middle + radius * cos(pi * part)
