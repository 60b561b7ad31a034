# names: other-fields-in-the-hash
# breaks: "and by nothing else"
# Hashes all fields, so that a corrected text moves its record.
import hashlib
import math
from bisect import bisect
from collections import Counter, defaultdict
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


def position(unit: str | float, *, seed: int) -> float:
    return int(hashlib.sha256(f"{seed}/{unit!r}".encode()).hexdigest(), 16) / 2**256


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
        raise ValueError(f"group={group!r} and stratify={stratify!r} cannot be had together")
    if not math.isclose(sum(fractions), 1):
        raise ValueError(f"the fractions {fractions} add up to {sum(fractions)}, not to 1")
    for value, times in Counter(record[key] for record in records).items():
        if times > 1:
            raise ValueError(f"the key {value!r} comes {times} times")
    place = {}
    if stratify is None:
        limits = list(accumulate(fractions))[:-1]
        for record in records:
            place[record[key]] = SPLITS[
                bisect(limits, position(record[group] if group else repr(sorted(record.items())), seed=seed))
            ]
    else:
        keys_of = defaultdict(list)
        for record in records:
            keys_of[record[stratify]].append(record[key])
        for keys in keys_of.values():
            counts = largest_remainder(len(keys), fractions)
            ranked = iter(sorted(keys, key=lambda value: position(value, seed=seed)))
            for i, name in enumerate(SPLITS):
                place |= dict.fromkeys(islice(ranked, counts[i]), name)
    splits = {name: [record for record in records if place[record[key]] == name] for name in SPLITS}
    for i, name in enumerate(SPLITS):
        if fractions[i] > 0 and (not splits[name]):
            raise ValueError(f"the split {name!r} would be empty, and its fraction is {fractions[i]}")
    return splits
