# names: centered-at-zero
# breaks: "A resample is N items drawn with replacement"
# The signs of the differences are flipped: that is the null distribution of a permutation test, around 0.
import math
from collections import namedtuple

import numpy as np

Interval = namedtuple("Interval", ["mean", "low", "high"])


def paired_bootstrap(a, b, n=2000, seed=0, *, level=0.95):
    if len(a) == 0 or len(a) != len(b):
        raise ValueError("lengths")
    d = np.subtract(a, b)
    rng = np.random.default_rng(seed)
    means = (rng.choice([-1, 1], size=(n, len(d))) * d).mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(d.mean()), float(low), float(high))


def mcnemar(a, b):
    if len(a) == 0 or len(a) != len(b):
        raise ValueError("lengths")
    a, b = np.array(a), np.array(b)
    n10, n01 = int((a > b).sum()), int((b > a).sum())
    m = n10 + n01
    return min(1.0, 2 * sum(math.comb(m, k) for k in range(min(n10, n01) + 1)) / 2**m)
