"""All resamples as one matrix of indices; the binomial by logarithms of factorials."""

from dataclasses import dataclass
from math import exp, lgamma, log

import numpy as np


@dataclass
class Interval:
    mean: float
    low: float
    high: float


def _check(a, b):
    if len(a) != len(b) or not len(a):
        raise ValueError("two lists of the same length, please")


def paired_bootstrap(a, b, n=2000, seed=0, *, level=0.95):
    _check(a, b)
    a, b = np.array(a, dtype=np.float64), np.array(b, dtype=np.float64)
    picks = np.random.Generator(np.random.PCG64(seed)).integers(0, len(a), size=(n, len(a)))
    deltas = a[picks].mean(axis=1) - b[picks].mean(axis=1)
    low, high = np.percentile(deltas, [50 * (1 - level), 50 * (1 + level)])
    return Interval((a - b).mean(), low, high)


def mcnemar(a, b):
    _check(a, b)
    a, b = np.array(a, dtype=bool), np.array(b, dtype=bool)
    n01, n10 = int(np.count_nonzero(~a & b)), int(np.count_nonzero(a & ~b))
    m = n01 + n10
    if n01 == n10:
        return 1.0
    terms = [lgamma(m + 1) - lgamma(k + 1) - lgamma(m - k + 1) - m * log(2) for k in range(min(n01, n10) + 1)]
    top = max(terms)
    return float(min(1.0, 2 * exp(top) * sum(exp(t - top) for t in terms)))
