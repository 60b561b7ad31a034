# names: every-text-listed
# breaks: "more than can be listed"
# Lists every text that exists and shuffles: good for short texts.

import itertools
import re

WORD = re.compile(r"(\w+(?:['’-]\w+)*)")
NEGATIONS = frozenset("no not never none nobody nothing nowhere neither nor without hardly barely cannot".split()) | {
    f"{verb}n{apostrophe}t"
    for verb in "is are was were do does did has have had ca wo would could should".split()
    for apostrophe in "'’"
}


def _choices(place, piece, synonyms, fixed):
    if place % 2 == 0 or piece.lower() in fixed or any(map(str.isdigit, piece)):
        return {piece: None}
    if place != 1 and piece != piece.lower():
        return {piece: None}
    others = synonyms.get(piece.lower(), [])
    if piece[0].isupper():
        others = [other[:1].upper() + other[1:] for other in others]
    return dict.fromkeys([piece] + list(others))


def augment(record, rng, n, *, synonyms, protected=frozenset()):
    fixed = NEGATIONS | protected
    pieces = [_choices(p, piece, synonyms, fixed) for p, piece in enumerate(WORD.split(record["text"]))]
    texts = {"".join(words) for words in itertools.product(*pieces)}
    texts.discard(record["text"])
    order = sorted(texts)
    rng.shuffle(order)
    made = []
    for text in order[:n]:
        version = dict(record)
        version["id"] = record["id"] + "#aug" + str(len(made))
        version["text"] = text
        version["source"] = record["id"]
        version["augmented"] = True
        made.append(version)
    return made


def augment_train_only(splits, rng, n, *, synonyms, protected=frozenset()):
    result = dict(splits)
    result["train"] = [*splits["train"]]
    for record in splits["train"]:
        result["train"] += augment(record, rng, n, synonyms=synonyms, protected=protected)
    return result
