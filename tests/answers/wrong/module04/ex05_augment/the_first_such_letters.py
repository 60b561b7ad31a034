# names: unlisted
# breaks: "A word is what `WORD` finds"
# Each word in turn is replaced where its letters first stand, which may be in a longer word.
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
        free = low not in NEGATIONS and low not in protected and not any(c.isdigit() for c in piece)
        free = free and (i == 1 or low == piece)
        options.append(list(dict.fromkeys([piece] + synonyms.get(low, []))) if free else [piece])
    possible = math.prod(map(len, options)) - 1
    found = {}
    while len(found) < min(n, possible):
        text, seen = record["text"], {}
        for piece, words in zip(pieces, options):
            if len(words) > 1:
                at = text.index(piece, seen.get(piece, 0))
                word = rng.choice(words)
                text, seen[piece] = text[:at] + word + text[at + len(piece) :], at + len(word)
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
