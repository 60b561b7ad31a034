# names: first-word-in-capitals-kept
# breaks: "contains a capital and is not the first word of the text"
# Takes a first word with a capital inside for a name.

import math
import re

# A word, also with an apostrophe or a hyphen inside, as a group: `re.split(WORD, text)` gives what stands
# between words at the even places of a list and the words at the odd ones; joined, the list is the text again.
WORD = re.compile(r"(\w+(?:['’-]\w+)*)")

# Without one of these a sentence says the opposite.
NEGATIONS = frozenset("no not never none nobody nothing nowhere neither nor without hardly barely cannot".split()) | {
    f"{verb}n{apostrophe}t"
    for verb in "is are was were do does did has have had ca wo would could should".split()
    for apostrophe in "'’"
}


def choices_of(text, synonyms, protected):
    parts = WORD.split(text)
    out = []
    for i, word in enumerate(parts):
        low = word.lower()
        if i % 2 == 0 or low in NEGATIONS or low in protected or any(c.isdigit() for c in word):
            out.append([word])
        elif any(c.isupper() for c in word) and (i != 1 or word[1:].lower() != word[1:]):
            out.append([word])
        else:
            others = [s for s in dict.fromkeys(synonyms.get(low, [])) if s.lower() != low]
            if word[0].isupper():
                others = list(dict.fromkeys(s[0].upper() + s[1:] for s in others))
            out.append([word, *others])
    return out


def augment(record, rng, n, *, synonyms, protected=frozenset()):
    lists = choices_of(record["text"], synonyms, protected)
    total = math.prod(map(len, lists)) - 1
    texts = []
    for number in rng.sample(range(1, total + 1), min(n, total)) if total < 2**60 else draws(rng, total, n):
        pieces = []
        for options in lists:
            number, at = divmod(number, len(options))
            pieces.append(options[at])
        texts.append("".join(pieces))
    return [
        {"id": f"{record['id']}#aug{i}", "source": record["id"], "text": t, "label": record["label"], "augmented": True}
        for i, t in enumerate(texts)
    ]


def draws(rng, total, n):
    seen = {}
    while len(seen) < n:
        seen[rng.randrange(1, total + 1)] = True
    return list(seen)


def augment_train_only(splits, rng, n, *, synonyms, protected=frozenset()):
    out = {k: list(v) for k, v in splits.items()}
    for record in splits["train"]:
        out["train"] += augment(record, rng, n, synonyms=synonyms, protected=protected)
    return out
