# names: seeds-related
# breaks: "have unrelated positions"
# crc32 is linear: another seed of the same length flips the same bits of every position.
import math
from bisect import bisect
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate, islice

SPLITS = ("train", "validation", "test")


def largest_remainder(total: int, fractions: Sequence[float]) -> list[int]:
    exact = [fraction * total for fraction in fractions]
    counts = [math.floor(share + 1e-09) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: counts[i] - exact[i])
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    return counts


def position(unit: str | int, *, seed: int) -> float:
    import zlib

    return zlib.crc32(f"{seed}-{unit}".encode()) / 2**32


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
        raise ValueError("group or stratify, not both")
    if not math.isclose(sum(fractions), 1.0, abs_tol=1e-06):
        raise ValueError("the fractions must add up to 1")
    seen = set()
    for record in records:
        if record[key] in seen:
            raise ValueError(f"the key {record[key]!r} appears twice")
        seen.add(record[key])
    where = {}
    if stratify is None:
        borders = list(accumulate(fractions))[:2]
        for i, record in enumerate(records):
            unit = record[key] if group is None else record[group]
            where[i] = bisect(borders, position(unit, seed=seed))
    else:
        labels = defaultdict(list)
        for i, record in enumerate(records):
            labels[record[stratify]].append(i)
        for members in labels.values():
            members.sort(key=lambda i: position(records[i][key], seed=seed))
            sizes = largest_remainder(len(members), fractions)
            members = iter(members)
            for s, size in enumerate(sizes):
                for i in islice(members, size):
                    where[i] = s
    result = {name: [] for name in SPLITS}
    for i, record in enumerate(records):
        result[SPLITS[where[i]]].append(record)
    for name, fraction in zip(SPLITS, fractions):
        if fraction > 0 and (not result[name]):
            raise ValueError(f"the split {name} is empty")
    return result
