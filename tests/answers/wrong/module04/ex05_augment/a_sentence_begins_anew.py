# names: capital-after-a-full-stop-replaced
# breaks: "contains a capital and is not the first word of the text"
# Takes a capital after a full stop for the beginning of a sentence, as the first word is one.
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
        begins = i == 1 or re.search(r"[.!?]\s*$", pieces[i - 1]) if i % 2 else False
        free = i % 2 and low not in NEGATIONS and low not in protected and not any(c.isdigit() for c in piece)
        if free and (begins or low == piece):
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
    new = []
    for record in splits["train"]:
        new += augment(record, rng, n, synonyms=synonyms, protected=protected)
    return {**splits, "train": splits["train"] + new}
