# names: never-ends
# breaks: "If fewer such texts exist"
import re

WORD = re.compile(r"(\w+(?:['’-]\w+)*)")
NEGATIONS = frozenset("no not never none nobody nothing nowhere neither nor without hardly barely cannot".split()) | {
    f"{verb}n{apostrophe}t"
    for verb in "is are was were do does did has have had ca wo would could should".split()
    for apostrophe in "'’"
}


def augment(record, rng, n, *, synonyms, protected=frozenset()):
    def choices(i, word):
        low = word.lower()
        if low in NEGATIONS or low in protected or any(c.isdigit() for c in word):
            return [word]
        if i > 1 and low != word:
            return [word]
        return [word] + synonyms.get(low, [])

    pieces = re.split(WORD, record["text"])
    options = [choices(i, piece) if i % 2 else [piece] for i, piece in enumerate(pieces)]
    found = []
    while len(found) < n:
        text = "".join(rng.choice(o) for o in options)
        if text != record["text"] and text not in found:
            found.append(text)
    return [
        {"id": f"{record['id']}#aug{i}", "text": t, "label": record["label"], "source": record["id"], "augmented": True}
        for i, t in enumerate(found)
    ]


def augment_train_only(splits, rng, n, *, synonyms, protected=frozenset()):
    new = []
    for record in splits["train"]:
        new += augment(record, rng, n, synonyms=synonyms, protected=protected)
    return {**splits, "train": splits["train"] + new}
