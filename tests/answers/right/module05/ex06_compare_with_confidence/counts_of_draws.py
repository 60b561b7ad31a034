"""How often each item is drawn, by a multinomial of the old generator; fractions for the test."""

from collections import Counter, namedtuple
from fractions import Fraction
from math import comb

import numpy as np

Interval = namedtuple("Interval", "mean low high")


def paired_bootstrap(a, b, n=2000, seed=0, *, level=0.95):
    size = len(a)
    if size == 0 or size != len(b):
        raise ValueError(f"cannot pair {len(a)} with {len(b)}")
    delta = np.asarray(a) - np.asarray(b)
    generator = np.random.RandomState(seed)
    times = generator.multinomial(size, np.full(size, 1 / size), size=n)
    means = np.sort(times @ delta / size)
    alpha = 1 - level
    low = np.quantile(means, alpha / 2, method="lower")
    high = np.quantile(means, 1 - alpha / 2, method="higher")
    return Interval(mean=float(np.mean(delta)), low=float(low), high=float(high))


def mcnemar(a, b):
    if len(a) == 0 or len(a) != len(b):
        raise ValueError(f"cannot pair {len(a)} with {len(b)}")
    kinds = Counter((bool(x), bool(y)) for x, y in zip(a, b, strict=False))
    first, second = kinds[True, False], kinds[False, True]
    m = first + second
    half = Fraction(1, 2)
    tail = sum(comb(m, i) * half**m for i in range(m + 1) if i <= min(first, second))
    return float(min(1, 2 * tail))
