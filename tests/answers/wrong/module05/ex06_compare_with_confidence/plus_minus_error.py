# names: standard-error-as-interval
# breaks: "The interval lies between the quantiles"
import math
import statistics
from collections import namedtuple

Interval = namedtuple("Interval", ["mean", "low", "high"])


def paired_bootstrap(a, b, n=2000, seed=0, *, level=0.95):
    if not a or len(a) != len(b):
        raise ValueError("lengths")
    d = [x - y for x, y in zip(a, b, strict=False)]
    mean = sum(d) / len(d)
    error = statistics.pstdev(d) / math.sqrt(len(d))
    return Interval(mean, mean - error, mean + error)


def mcnemar(a, b):
    if not a or len(a) != len(b):
        raise ValueError("lengths")
    wins = sum(1 for x, y in zip(a, b, strict=False) if x and not y)
    losses = sum(1 for x, y in zip(a, b, strict=False) if y and not x)
    m = wins + losses
    return min(1.0, 2 * sum(math.comb(m, k) for k in range(min(wins, losses) + 1)) / 2**m)
