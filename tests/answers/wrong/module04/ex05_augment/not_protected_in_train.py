# names: protected-not-passed-on
# breaks: "as for `augment`"
# The default is used inside the splits.

import math
import re

WORD = re.compile(r"(\w+(?:['’-]\w+)*)")
NEGATIONS = frozenset("no not never none nobody nothing nowhere neither nor without hardly barely cannot".split()) | {
    f"{verb}n{apostrophe}t"
    for verb in "is are was were do does did has have had ca wo would could should".split()
    for apostrophe in "'’"
}


def augment(record, rng, n, *, synonyms, protected=frozenset()):
    text = record["text"]
    spans, options = [], []
    for number, match in enumerate(WORD.finditer(text)):
        word = match.group()
        low = word.lower()
        if low in NEGATIONS or low in protected or re.search(r"\d", word):
            continue
        if number and low != word:
            continue
        others = sorted(set(synonyms.get(low, ())) - {low})
        if others:
            spans.append(match.span())
            options.append([word, *others])
    total = math.prod(map(len, options))
    result = []
    numbers = {}  # No sample of a range: its length may be more than an index can be.
    while len(numbers) < min(n, total - 1):
        numbers[rng.randrange(1, total)] = True
    for i, number in enumerate(numbers):
        parts, end = [], 0
        for (start, stop), words in zip(spans, options, strict=True):
            number, which = divmod(number, len(words))
            parts += [text[end:start], words[which]]
            end = stop
        parts.append(text[end:])
        result.append(
            {
                "id": "{}#aug{}".format(record["id"], i),
                "text": "".join(parts),
                "label": record["label"],
                "source": record["id"],
                "augmented": True,
            }
        )
    return result


def augment_train_only(splits, rng, n, *, synonyms, protected=frozenset()):
    out = {}
    for name, records in splits.items():
        out[name] = list(records)
        if name == "train":
            for record in records:
                out[name].extend(augment(record, rng, n, synonyms=synonyms))
    return out
