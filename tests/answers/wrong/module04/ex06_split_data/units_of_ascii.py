# names: hash-of-ascii-only
# breaks: "and the same unit with another seed, have unrelated positions."
# What is not ASCII is left out of the hash: all Chinese names have one position.

"""4.06 · Split data: a hash decides once, for good, which records are in the test set.

No group is in two splits, no record moves when others are appended, and no empty split goes unnoticed.
"""

import hashlib
import math
from bisect import bisect
from collections import defaultdict
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


def position(unit: str | int, *, seed: int) -> float:
    digest = hashlib.sha256(f"{seed}|{unit}".encode("ascii", "ignore")).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def split(
    records: list[dict],
    key: str,
    *,
    group: str | None = None,
    stratify: str | None = None,
    fractions: Sequence[float] = (0.8, 0.1, 0.1),
    seed: int = 0,
) -> dict[str, list[dict]]:
    if group is not None and stratify is not None:
        raise ValueError("group and stratify can't both be given")
    if not math.isclose(sum(fractions), 1.0):
        raise ValueError(f"the fractions {fractions} do not add up to 1")
    seen = set()
    for record in records:
        if record[key] in seen:
            raise ValueError(f"the key {record[key]!r} appears twice")
        seen.add(record[key])
    borders = list(accumulate(fractions))
    last = max(i for i, fraction in enumerate(fractions) if fraction > 0)
    names = {}
    if stratify is None:
        unit = key if group is None else group
        for record in records:
            names[record[key]] = SPLITS[min(bisect(borders, position(record[unit], seed=seed)), last)]
    else:
        by_label = defaultdict(list)
        for record in records:
            by_label[record[stratify]].append(record[key])
        for keys in by_label.values():
            ranked = iter(sorted(keys, key=lambda k: position(k, seed=seed)))
            for name, count in zip(SPLITS, largest_remainder(len(keys), fractions)):
                for k in islice(ranked, count):
                    names[k] = name
    result = {name: [] for name in SPLITS}
    for record in records:
        result[names[record[key]]].append(record)
    for name, fraction in zip(SPLITS, fractions):
        if fraction > 0 and not result[name]:
            raise ValueError(f"the split {name} is empty")
    return result
