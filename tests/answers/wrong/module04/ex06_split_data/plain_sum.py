# names: sum-compared-exactly
# breaks: "up to the rounding of floats"
import hashlib

SPLITS = ("train", "validation", "test")


def split(records, key, *, group=None, stratify=None, fractions=(0.8, 0.1, 0.1), seed=0):
    if group is not None and stratify is not None:
        raise ValueError("group and stratify")
    if fractions[0] + fractions[1] + fractions[2] != 1.0:
        raise ValueError("fractions must add up to 1")
    seen = set()
    for r in records:
        if r[key] in seen:
            raise ValueError(f"key {r[key]} is repeated")
        seen.add(r[key])

    def number(unit):
        return int(hashlib.sha1(f"{seed}:{unit}".encode()).hexdigest()[:12], 16) / 16**12

    if stratify is not None:
        where = {}
        for label in {r[stratify] for r in records}:
            members = sorted((r[key] for r in records if r[stratify] == label), key=number)
            a = round(len(members) * fractions[0])
            b = round(len(members) * (fractions[0] + fractions[1]))
            for i, value in enumerate(members):
                where[value] = SPLITS[(i >= a) + (i >= b)]
    else:
        where = {}
        for r in records:
            x = number(r[group] if group else r[key])
            where[r[key]] = SPLITS[(x >= fractions[0]) + (x >= fractions[0] + fractions[1])]
    out = {name: [r for r in records if where[r[key]] == name] for name in SPLITS}
    for name, fraction in zip(SPLITS, fractions, strict=True):
        if fraction > 0 and not out[name]:
            raise ValueError(f"{name} is empty")
    return out
