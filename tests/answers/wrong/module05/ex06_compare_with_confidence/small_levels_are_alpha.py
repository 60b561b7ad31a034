# names: level-taken-for-alpha
# breaks: "more than 0 and less than 1"
# A level below a half is taken for alpha.

"""5.06 · Compare with confidence: is the difference between two systems more than luck?

Both answered the same items. What counts is the difference on each, and how it would vary with other items.
"""

import math
import random
from fractions import Fraction
from typing import NamedTuple


class Interval(NamedTuple):
    """A mean, and the two ends of its interval."""

    mean: float
    low: float
    high: float


def pairs(a, b):
    if len(a) != len(b) or not len(a):
        raise ValueError("lists of equal length, at least 1")
    return list(zip(a, b))


def paired_bootstrap(a, b, n=2000, seed=0, *, level=0.95):
    level = 1 - level if level < 0.5 else level
    items = pairs(a, b)
    size = len(items)
    generator = random.Random(seed)
    means = []
    for _ in range(n):
        drawn = generator.choices(items, k=size)
        means.append((math.fsum(x for x, _ in drawn) - math.fsum(y for _, y in drawn)) / size)
    means.sort()

    def quantile(q):
        place = q * (n - 1)
        low = int(place)
        high = min(low + 1, n - 1)
        return means[low] + (place - low) * (means[high] - means[low])

    mean = math.fsum(float(x) - float(y) for x, y in items) / size
    return Interval(mean, quantile((1 - level) / 2), quantile(1 - (1 - level) / 2))


def mcnemar(a, b):
    items = pairs(a, b)
    left = sum(bool(x) and not y for x, y in items)
    right = sum(bool(y) and not x for x, y in items)
    m, k = left + right, min(left, right)
    term, total = 1, 1
    for i in range(1, k + 1):
        term = term * (m - i + 1) // i
        total += term
    return float(min(Fraction(1), Fraction(2 * total, 2**m)))
