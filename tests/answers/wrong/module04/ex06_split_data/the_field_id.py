# names: field-names-fixed
# breaks: "key: the name of the field that identifies a record: a text or a number, different in each record."
# Every data set has an id.

import hashlib
from collections import Counter

import numpy as np


def split(records, key, *, group=None, stratify=None, fractions=(0.8, 0.1, 0.1), seed=0):
    if group is not None and stratify is not None:
        raise ValueError("group and stratify exclude each other")
    if not np.isclose(sum(fractions), 1.0):
        raise ValueError(f"fractions {tuple(fractions)}")
    if len(records) == 0:
        raise ValueError("there are no records: train, validation and test would be empty")
    (commonest, times), *_ = Counter(r["id"] for r in records).most_common(1)
    if times > 1:
        raise ValueError(f"{times} records have the key {commonest}")

    salt = str(seed).encode()[:64]
    units = [r[group] if group is not None else r[key] for r in records]
    digests = [hashlib.blake2b(str(u).encode(), digest_size=8, key=salt).digest() for u in units]
    positions = np.array([int.from_bytes(d, "little") for d in digests], dtype=np.uint64).astype(np.float64) / 2**64

    side = np.zeros(len(records), dtype=int)
    edges = np.cumsum(fractions)[:2]
    if stratify is None:
        side = np.searchsorted(edges, positions, side="right")
    else:
        labels = [r[stratify] for r in records]
        for label in set(labels):
            rows = np.array([i for i, one in enumerate(labels) if one == label])
            rows = rows[np.argsort(positions[rows], kind="stable")]
            cuts = np.floor(edges * len(rows) + 0.5).astype(int)
            for number, part in enumerate(np.split(rows, cuts)):
                side[part] = number

    parts = {}
    for number, name in reversed(list(enumerate(["train", "validation", "test"]))):
        parts[name] = [records[i] for i in np.flatnonzero(side == number)]
        if fractions[number] > 0 and not parts[name]:
            raise ValueError(f"{name} is empty")
    return parts
