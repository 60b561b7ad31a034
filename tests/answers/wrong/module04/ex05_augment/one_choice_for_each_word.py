# names: choices-kept-by-word
# breaks: "If fewer such texts exist"
# Chooses once for each different word, so a word that stands twice becomes the same synonym in both places.
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
    options, places = {}, set()
    for i, piece in enumerate(pieces):
        low = piece.lower()
        free = low not in NEGATIONS and low not in protected and not any(c.isdigit() for c in piece)
        if free and (i == 1 or low == piece):
            options[piece] = list(dict.fromkeys([piece] + synonyms.get(low, [])))
            places.add(i)
    possible = math.prod(map(len, options.values())) - 1
    found = {}
    while len(found) < min(n, possible):
        choice = {piece: rng.choice(words) for piece, words in options.items()}
        text = "".join(choice[piece] if i in places else piece for i, piece in enumerate(pieces))
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
