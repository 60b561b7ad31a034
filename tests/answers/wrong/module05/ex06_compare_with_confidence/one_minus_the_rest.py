# names: tail-from-the-other-side
# breaks: "It is exact, even for a thousand such items and more."
import random
from types import SimpleNamespace


def paired_bootstrap(a, b, n=2000, seed=0, *, level=0.95):
    if len(a) != len(b):
        raise ValueError("the systems have different numbers of items")
    if not a:
        raise ValueError("no items")
    gaps = [x - y for x, y in zip(a, b, strict=False)]
    draw = random.Random(seed)
    size = len(gaps)
    means = sorted(sum(draw.choices(gaps, k=size)) / size for _ in range(n))
    cut = int((1 - level) / 2 * n)
    return SimpleNamespace(mean=sum(gaps) / size, low=means[cut], high=means[n - 1 - cut])


def mcnemar(a, b):
    if len(a) != len(b) or not a:
        raise ValueError(f"{len(a)} and {len(b)} results")
    only_a = sum(1 for x, y in zip(a, b, strict=False) if x and not y)
    only_b = sum(1 for x, y in zip(a, b, strict=False) if y and not x)
    m, k = only_a + only_b, min(only_a, only_b)
    coefficient = total = 1
    for i in range(k):
        coefficient = coefficient * (m - i) // (i + 1)
        total += coefficient
    return min(1.0, 2 * (1 - (2**m - total) / 2**m)) if m else 1.0
