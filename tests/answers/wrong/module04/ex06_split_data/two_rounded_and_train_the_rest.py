# names: train-is-the-rest
# breaks: "every split has its fraction of each label's records, to within one record."
# Rounds validation and test, which can be more than there is.

import hashlib
import math
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import accumulate, islice

SPLITS = ("train", "validation", "test")


def largest_remainder(total: int, fractions: Sequence[float]) -> list[int]:
    """Return whole numbers that add up to `total`, each less than 1 from its `fraction * total`."""
    exact = [fraction * total for fraction in fractions]
    counts = [math.floor(share + 1e-9) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: counts[i] - exact[i])
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    return counts


def position(unit, *, seed):
    digest = hashlib.sha256(repr((seed, unit)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def split(records, key, *, group=None, stratify=None, fractions=(0.8, 0.1, 0.1), seed=0):
    if group is not None and stratify is not None:
        raise ValueError("group and stratify")
    if abs(sum(fractions) - 1) > 1e-6:
        raise ValueError("fractions")
    for k, c in Counter(r[key] for r in records).items():
        if c > 1:
            raise ValueError(f"{k!r} comes twice")
    cuts = list(accumulate(fractions))[:2]
    where = {}
    if stratify is None:
        for r in records:
            p = position(r[group if group is not None else key], seed=seed)
            where[r[key]] = bisect(cuts, p) if p < 1 else 2
    else:
        labels = defaultdict(list)
        for r in records:
            labels[r[stratify]].append(r[key])
        for keys in labels.values():
            ranked = iter(sorted(keys, key=lambda k: position(k, seed=seed)))
            for i, count in enumerate(
                [
                    len(keys) - round(fractions[1] * len(keys)) - round(fractions[2] * len(keys)),
                    round(fractions[1] * len(keys)),
                    round(fractions[2] * len(keys)),
                ]
            ):
                for k in islice(ranked, count):
                    where[k] = i
    out = {s: [] for s in SPLITS}
    for r in records:
        out[SPLITS[where[r[key]]]].append(r)
    for s, f in zip(SPLITS, fractions):
        if f > 0 and not out[s]:
            raise ValueError(f"{s} would be empty")
    return out
