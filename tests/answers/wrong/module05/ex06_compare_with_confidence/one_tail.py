# names: tail-not-doubled
# breaks: "Return the exact two-sided p-value"
import math
import random
from collections import namedtuple

Interval = namedtuple("Interval", ["mean", "low", "high"])


def paired_bootstrap(a, b, n=2000, seed=0, *, level=0.95):
    if not a or len(a) != len(b):
        raise ValueError("lengths")
    rng = random.Random(seed)
    means = []
    for _ in range(n):
        indices = [rng.randrange(len(a)) for _ in a]
        means.append(sum(a[i] - b[i] for i in indices) / len(a))
    means.sort()
    low = means[int(n * (1 - level) / 2)]
    high = means[min(n - 1, int(n * (1 + level) / 2))]
    return Interval(sum(x - y for x, y in zip(a, b, strict=False)) / len(a), low, high)


def mcnemar(a, b):
    if not a or len(a) != len(b):
        raise ValueError("lengths")
    wins = sum(1 for x, y in zip(a, b, strict=False) if x and not y)
    losses = sum(1 for x, y in zip(a, b, strict=False) if y and not x)
    m = wins + losses
    if m == 0:
        return 1.0
    return sum(math.comb(m, k) for k in range(min(wins, losses) + 1)) / 2**m
