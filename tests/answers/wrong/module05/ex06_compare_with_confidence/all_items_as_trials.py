# names: agreeing-items-counted
# breaks: "The only items that count are those that exactly one of the systems gets right."
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
    wins = sum(1 for x, y in zip(a, b, strict=False) if x and not y)
    losses = sum(1 for x, y in zip(a, b, strict=False) if y and not x)
    n = len(a)
    tail = 0
    for k in range(min(wins, losses) + 1):
        tail += math.comb(n, k)
    return min(1.0, 2 * tail / 2**n)
