"""2.05 · Learning rate schedule: increase the rate in small steps, then decrease it to almost nothing.

Two functions return the share of the peak learning rate that each training step gets.
"""

import math


def warmup_then_linear(step: int, warmup_steps: int, total_steps: int) -> float:
    """Return the share of the peak learning rate at `step`: a straight line up, then one down to 0.

    During the warm-up, where `step < warmup_steps`, it is `step / warmup_steps`: 0 at step 0. From then on it falls
    in a straight line from 1 at `step = warmup_steps` to 0 at `step = total_steps`.

    Args:
        step: how many updates were made before this one; 0 or more. At `total_steps` and beyond the share is 0.
        warmup_steps: how many steps the warm-up takes; without a warm-up (0), step 0 has the share 1.
        total_steps: the number of steps of the whole training, including the warm-up.

    Returns:
        A Python number from 0 to 1, which depends only on the three arguments.

    Raises:
        ValueError: unless `0 <= warmup_steps < total_steps`, at any step; the message contains both numbers.

    Method: Devlin et al., BERT (2019), appendix A.2, https://arxiv.org/abs/1810.04805
    """
    # BEGIN SOLUTION: reject a warm-up that does not fit; a line from 0 up to 1, then one from 1 down to 0.
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"needs 0 <= warmup_steps < total_steps, not {warmup_steps} and {total_steps}")
    if step < warmup_steps:
        return step / warmup_steps
    progress = min(1.0, (step - warmup_steps) / (total_steps - warmup_steps))
    return 1.0 - progress
    # END SOLUTION


def cosine_with_floor(step: int, warmup_steps: int, total_steps: int, floor: float) -> float:
    """Return the share of the peak learning rate at `step`: a straight line up, then half a cosine down to `floor`.

    The warm-up is that of `warmup_then_linear`: from 0, not from `floor`. After it, the share is as follows, where
    q is the fraction of the way from `warmup_steps` to `total_steps` that is done, from 0 to 1:

        floor + (1 - floor) * (1 + cos(pi * q)) / 2

    which is 1 at `step = warmup_steps` and `floor` at `step = total_steps`.

    Args:
        step, warmup_steps, total_steps: as in `warmup_then_linear`. At `total_steps` and beyond the share is `floor`.
        floor: the share that is left at the end; from 0 to 1.

    Returns:
        A Python number from 0 to 1, which depends only on the four arguments.

    Raises:
        ValueError: unless `0 <= warmup_steps < total_steps`, at any step; the message contains both numbers.

    Method: Loshchilov and Hutter, SGDR (2017), equation 5, without restarts, https://arxiv.org/abs/1608.03983
    """
    # BEGIN SOLUTION: the same warm-up, then floor + (1 - floor) * (1 + cos(pi * q)) / 2.
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"warmup_steps must be from 0 to total_steps - 1: {warmup_steps} of {total_steps}")
    if step < warmup_steps:
        return step / warmup_steps
    q = min(1.0, (step - warmup_steps) / (total_steps - warmup_steps))
    return floor + (1.0 - floor) * (1.0 + math.cos(math.pi * q)) / 2
    # END SOLUTION
