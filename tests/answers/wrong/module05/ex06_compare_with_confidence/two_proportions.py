# names: two-proportions
# breaks: "The only items that count are those that exactly one of the systems gets right."
# The test of two proportions, as if the systems had answered different items.
import math
import random
from collections import namedtuple

Interval = namedtuple("Interval", ["mean", "low", "high"])


def paired_bootstrap(a, b, n=2000, seed=0, *, level=0.95):
    if not a or len(a) != len(b):
        raise ValueError("lengths")
    rng = random.Random(seed)
    d = [x - y for x, y in zip(a, b, strict=False)]
    means = sorted(sum(rng.choice(d) for _ in d) / len(d) for _ in range(n))
    return Interval(sum(d) / len(d), means[int(n * (1 - level) / 2)], means[-1 - int(n * (1 - level) / 2)])


def mcnemar(a, b):
    if not a or len(a) != len(b):
        raise ValueError("lengths")
    n = len(a)
    p1, p2 = sum(a) / n, sum(b) / n
    p = (p1 + p2) / 2
    if p in (0, 1):
        return 1.0
    z = (p1 - p2) / math.sqrt(2 * p * (1 - p) / n)
    return math.erfc(abs(z) / math.sqrt(2))
