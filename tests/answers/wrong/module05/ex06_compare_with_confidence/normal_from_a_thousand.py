# names: approximate-from-25-items
# breaks: "It is exact, even for a thousand such items and more."
import math
from typing import NamedTuple

import numpy as np


class Interval(NamedTuple):
    mean: float
    low: float
    high: float


def paired_bootstrap(
    a: list[float],
    b: list[float],
    n: int = 2000,
    seed: int = 0,
    *,
    level: float = 0.95,
) -> Interval:
    if len(a) != len(b) or len(a) == 0:
        raise ValueError("lists of unequal length or empty")
    diff = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    rng = np.random.default_rng(seed)
    means = diff[rng.integers(0, len(diff), (n, len(diff)))].mean(axis=1)
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(diff.mean()), float(low), float(high))


def mcnemar(a: list[bool], b: list[bool]) -> float:
    if len(a) != len(b) or len(a) == 0:
        raise ValueError("lists of unequal length or empty")
    only_a = sum(1 for x, y in zip(a, b) if x and not y)
    only_b = sum(1 for x, y in zip(a, b) if y and not x)
    m, k = only_a + only_b, min(only_a, only_b)
    if m == 0:
        return 1.0
    if m >= 1000:
        return min(1.0, math.erfc((abs(only_a - only_b) - 1) / math.sqrt(2 * m)))
    return min(1.0, 2 * sum(math.comb(m, i) for i in range(k + 1)) / 2**m)
