# names: labels-of-neighbors
# breaks: "the new ones that `augment` makes from each."
# Gives the labels of train out in turn, one for each new record.
import math
import re

WORD = re.compile(r"(\w+(?:['’-]\w+)*)")
NEGATIONS = frozenset("no not never none nobody nothing nowhere neither nor without hardly barely cannot".split()) | {
    f"{verb}n{apostrophe}t"
    for verb in "is are was were do does did has have had ca wo would could should".split()
    for apostrophe in "'’"
}


def augment(record, rng, n, *, synonyms, protected=frozenset()):
    pieces = re.split(WORD, record["text"])
    options = []
    for i, piece in enumerate(pieces):
        low = piece.lower()
        free = i % 2 and low not in NEGATIONS and low not in protected and not any(c.isdigit() for c in piece)
        if free and (i == 1 or low == piece):
            options.append(list(dict.fromkeys([piece] + synonyms.get(low, []))))
        else:
            options.append([piece])
    possible = math.prod(map(len, options)) - 1
    found = {}
    while len(found) < min(n, possible):
        text = "".join(rng.choice(o) for o in options)
        if text != record["text"]:
            found[text] = None
    return [
        {"id": f"{record['id']}#aug{i}", "text": t, "label": record["label"], "source": record["id"], "augmented": True}
        for i, t in enumerate(found)
    ]


def augment_train_only(splits, rng, n, *, synonyms, protected=frozenset()):
    train = splits["train"]
    new = []
    for i in range(len(train) * n):
        made = augment(train[i // n], rng, n, synonyms=synonyms, protected=protected)
        if i % n < len(made):
            new.append({**made[i % n], "label": train[i % len(train)]["label"]})
    return {**splits, "train": train + new}
