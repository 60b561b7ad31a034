# names: records-marked
# breaks: "neither the list nor the records are changed"
# Each record says where it went, and then it is divided.

import hashlib
from math import floor


def _bucket(seed, unit):
    return int(hashlib.md5(bytes(f"{unit}::{seed}", "utf-8")).hexdigest(), 16) % 10_000


def _shares(n, fractions):
    floors = [floor(n * f + 1e-12) for f in fractions]
    while sum(floors) < n:
        lacking = [n * f - have for f, have in zip(fractions, floors, strict=True)]
        floors[lacking.index(max(lacking))] += 1
    return floors


def split(records, key, *, group=None, stratify=None, fractions=(0.8, 0.1, 0.1), seed=0):
    names = ["train", "validation", "test"]
    if group is not None and stratify is not None:
        raise ValueError("a split by group cannot be stratified too")
    total = sum(fractions)
    if not 0.999999 < total < 1.000001:
        raise ValueError(f"{fractions} sum to {total}")
    known = set()
    for record in records:
        if record[key] in known:
            raise ValueError(f"two records have the key {record[key]!r}")
        known.add(record[key])

    where = {}
    if stratify is not None:
        for label in dict.fromkeys(record[stratify] for record in records):
            members = [record[key] for record in records if record[stratify] == label]
            members.sort(key=lambda value: (_bucket(seed, value), str(value)))
            start = 0
            for name, count in zip(names, _shares(len(members), fractions), strict=True):
                for value in members[start : start + count]:
                    where[value] = name
                start += count
    else:
        for record in records:
            bucket = _bucket(seed, record[key if group is None else group])
            limit = 0
            for name, fraction in zip(names, fractions, strict=True):
                limit += fraction * 10_000
                if bucket < limit - 1e-9:
                    where[record[key]] = name
                    break
            else:
                where[record[key]] = [n for n, f in zip(names, fractions, strict=True) if f][-1]

    for record in records:
        record["split"] = where[record[key]]
    result = {name: [dict(r) for r in records if where[r[key]] == name] for name in names}
    empty = [n for n, f in zip(names, fractions, strict=True) if f > 0 and not result[n]]
    if empty:
        raise ValueError(f"nothing left for {' and '.join(empty)}")
    return result
