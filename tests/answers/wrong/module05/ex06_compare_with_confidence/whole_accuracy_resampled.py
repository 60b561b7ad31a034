# names: only-one-system-resampled
# breaks: "A resample is N items drawn with replacement from these N; each item keeps both of its scores."
# Only system a is resampled; b's mean is taken as known.
import math
from collections import namedtuple

import numpy as np

Interval = namedtuple("Interval", ["mean", "low", "high"])


def paired_bootstrap(a, b, n=2000, seed=0, *, level=0.95):
    if len(a) == 0 or len(a) != len(b):
        raise ValueError("lengths")
    a, b = np.array(a, dtype=float), np.array(b, dtype=float)
    rng = np.random.default_rng(seed)
    means = a[rng.integers(len(a), size=(n, len(a)))].mean(axis=1) - b.mean()
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float((a - b).mean()), float(low), float(high))


def mcnemar(a, b):
    if len(a) == 0 or len(a) != len(b):
        raise ValueError("lengths")
    a, b = np.array(a), np.array(b)
    n10, n01 = int((a > b).sum()), int((b > a).sum())
    m = n10 + n01
    return min(1.0, 2 * sum(math.comb(m, k) for k in range(min(n10, n01) + 1)) / 2**m)
