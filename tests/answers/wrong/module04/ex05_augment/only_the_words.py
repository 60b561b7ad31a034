# names: signs-between-words-lost
# breaks: "The order of the words and everything between them (spaces, line breaks, punctuation, emoji) stay."
# The words are found by WORD and joined by blanks.
import math
import re

WORD = re.compile(r"(\w+(?:['’-]\w+)*)")
NEGATIONS = frozenset("no not never none nobody nothing nowhere neither nor without hardly barely cannot".split()) | {
    f"{verb}n{apostrophe}t"
    for verb in "is are was were do does did has have had ca wo would could should".split()
    for apostrophe in "'’"
}


def augment(record, rng, n, *, synonyms, protected=frozenset()):
    words = WORD.findall(record["text"])
    options = []
    for i, word in enumerate(words):
        low = word.lower()
        stays = low in NEGATIONS or low in protected or any(c.isdigit() for c in word) or (i > 0 and low != word)
        options.append([word] if stays else list(dict.fromkeys([word] + synonyms.get(low, []))))
    possible = math.prod(map(len, options)) - 1
    found = {}
    while len(found) < min(n, possible):
        text = " ".join(rng.choice(o) for o in options)
        if text != " ".join(words):
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
