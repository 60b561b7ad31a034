# names: unpaired
# breaks: "A resample is N items drawn with replacement from these N; each item keeps both of its scores."
import math

import numpy as np


class Interval:
    def __init__(self, mean, low, high):
        self.mean, self.low, self.high = mean, low, high


def paired_bootstrap(a, b, n=2000, seed=0, *, level=0.95):
    if len(a) != len(b) or len(a) == 0:
        raise ValueError("lengths")
    rng = np.random.default_rng(seed)
    a, b = np.array(a, float), np.array(b, float)
    means_a = a[rng.integers(0, len(a), (n, len(a)))].mean(1)
    means_b = b[rng.integers(0, len(b), (n, len(b)))].mean(1)
    gap = means_a - means_b
    tail = 100 * (1 - level) / 2
    return Interval(a.mean() - b.mean(), np.percentile(gap, tail), np.percentile(gap, 100 - tail))


def mcnemar(a, b):
    if len(a) != len(b) or len(a) == 0:
        raise ValueError("lengths")
    b_ = sum(x and not y for x, y in zip(a, b, strict=False))
    c = sum(y and not x for x, y in zip(a, b, strict=False))
    m = b_ + c
    return min(1.0, 2 * sum(math.comb(m, k) for k in range(min(b_, c) + 1)) / 2**m)
