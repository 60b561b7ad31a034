# names: synonyms-emptied
# breaks: "augment: Not changed"
# The lists of synonyms are sorted, and each word left in them once.

import re

WORD = re.compile(r"(\w+(?:['’-]\w+)*)")
NEGATIONS = frozenset("no not never none nobody nothing nowhere neither nor without hardly barely cannot".split()) | {
    f"{verb}n{apostrophe}t"
    for verb in "is are was were do does did has have had ca wo would could should".split()
    for apostrophe in "'’"
}


def may_go(word, is_first, protected):
    lower = word.lower()
    if lower in NEGATIONS or lower in protected:
        return False
    return not any(c.isdigit() for c in word) and (is_first or not any(c.isupper() for c in word))


def options_of(text, synonyms, protected):
    for word in synonyms:
        synonyms[word] = sorted(set(synonyms[word]))
    for number, match in enumerate(WORD.finditer(text)):
        word = match[0]
        if not may_go(word, number == 0, protected):
            continue
        others = []
        for other in synonyms.get(word.lower()) or []:
            other = other[:1].upper() + other[1:] if word[0].isupper() else other
            if other != word and other not in others:
                others.append(other)
        if others:
            yield match.start(), match.end(), [word] + others


def augment(record, rng, n, *, synonyms, protected=frozenset()):
    text = record["text"]
    options = list(options_of(text, synonyms, protected))
    number_of_texts = 1
    for _, _, words in options:
        number_of_texts *= len(words)
    found = {}
    while len(found) < n and len(found) + 1 < number_of_texts:
        new = text
        for start, end, words in reversed(options):
            new = new[:start] + words[int(rng.random() * len(words))] + new[end:]
        if new != text:
            found.setdefault(new, len(found))
    old = record["id"]
    return [
        dict(id=f"{old}#aug{i}", text=new, label=record["label"], source=old, augmented=True)
        for new, i in found.items()
    ]


def augment_train_only(splits, rng, n, *, synonyms, protected=frozenset()):
    grown = {}
    for name in splits:
        grown[name] = list(splits[name])
    for record in splits["train"]:
        grown["train"] += augment(record, rng, n, synonyms=synonyms, protected=protected)
    return grown
