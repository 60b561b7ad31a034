# names: labels-as-text
# breaks: "each split gets its share of each label"
"""4.06 · Split data: who is in the test is decided once, by a hash, and stays so.

No group on two sides, no record that changes sides when others are appended, no split empty unnoticed.
"""

import hashlib
import math
from collections.abc import Sequence

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
    kind = "s" if isinstance(unit, str) else "n"
    text = f"{seed}\x00{kind}\x00{unit}"
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2**64 if digest < b"\xff" * 8 else 0.0


def split(records, key, *, group=None, stratify=None, fractions=(0.8, 0.1, 0.1), seed=0):
    if group is not None and stratify is not None:
        raise ValueError("group and stratify")
    if abs(math.fsum(fractions) - 1) > 1e-6:
        raise ValueError("the fractions do not add up to 1")
    seen = set()
    for record in records:
        if record[key] in seen:
            raise ValueError(f"the key {record[key]} comes twice")
        seen.add(record[key])
    train, validation, _ = fractions
    where = {}
    if stratify is None:
        field = key if group is None else group
        for record in records:
            p = position(record[field], seed=seed)
            where[record[key]] = "train" if p < train else "validation" if p < train + validation else "test"
    else:
        for label in {str(record[stratify]) for record in records}:
            keys = [record[key] for record in records if str(record[stratify]) == label]
            keys.sort(key=lambda k: position(k, seed=seed))
            a, b, _ = largest_remainder(len(keys), fractions)
            for i, k in enumerate(keys):
                where[k] = "train" if i < a else "validation" if i < a + b else "test"
    out = {name: [] for name in SPLITS}
    for record in records:
        out[where[record[key]]].append(record)
    for name, fraction in zip(SPLITS, fractions):
        if fraction > 0 and not out[name]:
            raise ValueError(f"{name} would be empty")
    return out
