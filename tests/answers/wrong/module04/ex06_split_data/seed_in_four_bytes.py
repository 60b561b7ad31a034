# names: seed-of-limited-size
# breaks: "any whole number"
# A negative seed, or one of 2**32 and more, raises an OverflowError.

import hashlib
import math
from bisect import bisect
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate, islice

SPLITS = ("train", "validation", "test")


def largest_remainder(total: int, fractions: Sequence[float]) -> list[int]:
    exact = [fraction * total for fraction in fractions]
    counts = [math.floor(share + 1e-9) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: counts[i] - exact[i])
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    return counts


def position(unit: str | int, *, seed: int) -> float:
    digest = hashlib.sha256(seed.to_bytes(4, "big") + str(unit).encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


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
        raise ValueError("give group or stratify, not both")
    if not math.isclose(sum(fractions), 1):
        raise ValueError(f"the fractions {list(fractions)} do not add up to 1")
    seen = set()
    for record in records:
        if record[key] in seen:
            raise ValueError(f"the key {record[key]!r} appears twice")
        seen.add(record[key])
    place = {}
    if stratify is None:
        borders = list(accumulate(fractions))
        for record in records:
            x = position(record[key if group is None else group], seed=seed)
            index = min(bisect(borders, x), 2)
            while not fractions[index]:
                index -= 1
            place[record[key]] = SPLITS[index]
    else:
        by_label = defaultdict(list)
        for record in records:
            by_label[record[stratify]].append(record[key])
        for keys in by_label.values():
            ranked = iter(sorted(keys, key=lambda k: position(k, seed=seed)))
            for name, count in zip(SPLITS, largest_remainder(len(keys), fractions)):
                place.update(dict.fromkeys(islice(ranked, count), name))
    result = {name: [] for name in SPLITS}
    for record in records:
        result[place[record[key]]].append(record)
    for name, fraction in zip(SPLITS, fractions):
        if fraction > 0 and not result[name]:
            raise ValueError(f"the split {name} would be empty")
    return result
