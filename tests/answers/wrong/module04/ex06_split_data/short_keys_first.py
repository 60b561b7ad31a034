# names: unlisted
# breaks: "ranked by the positions of their keys"
# With labels short keys come before long ones, and positions decide only among keys of one length.

import random


def split(records, key, *, group=None, stratify=None, fractions=(0.8, 0.1, 0.1), seed=0):
    if group and stratify:
        raise ValueError("give group or stratify, not both")
    if abs(sum(fractions) - 1) > 1e-6:
        raise ValueError(f"fractions must sum to 1, and {fractions} do not")

    def draw(unit):
        return random.Random(f"split {seed} of {unit!r}").random()

    train, validation, _ = fractions
    sides = {}
    if stratify is None:
        for record in records:
            if record[key] in sides:
                raise ValueError(f"{key} is not unique: {record[key]}")
            x = draw(record[group] if group else record[key])
            sides[record[key]] = "train" if x < train else "validation" if x < train + validation else "test"
    else:
        of_label = {}
        for record in records:
            of_label.setdefault(record[stratify], {})
            if any(record[key] in members for members in of_label.values()):
                raise ValueError(f"{key} is not unique: {record[key]}")
            of_label[record[stratify]][record[key]] = draw(record[key])
        for members in of_label.values():
            order = sorted(members, key=lambda unit: (len(str(unit)), draw(unit)))
            n = len(order)
            first, second = round(n * train), round(n * (train + validation))
            for i, name in enumerate(order):
                sides[name] = "train" if i < first else "validation" if i < second else "test"

    out = {"train": [], "validation": [], "test": []}
    for record in records:
        out[sides[record[key]]].append(record)
    for (name, rows), fraction in zip(out.items(), fractions, strict=True):
        if not rows and fraction:
            raise ValueError(f"no records for {name}")
    return out
