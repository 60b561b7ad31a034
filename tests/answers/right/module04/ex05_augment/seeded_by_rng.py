"""Draws with weights that leave most words alone, from a generator of its own that rng seeds; shuffles what is new."""

import random
import re

WORD = re.compile(r"(\w+(?:['’-]\w+)*)")
NEGATIONS = frozenset("no not never none nobody nothing nowhere neither nor without hardly barely cannot".split()) | {
    f"{verb}n{apostrophe}t"
    for verb in "is are was were do does did has have had ca wo would could should".split()
    for apostrophe in "'’"
}


class Version(dict):
    """A record that was made out of another one."""


def augment(record, rng, n, *, synonyms, protected=frozenset()):
    own = random.Random(rng.getrandbits(64))
    words = list(WORD.finditer(record["text"]))
    open_places = {}
    for i, match in enumerate(words):
        word = match[0]
        key = word.lower()
        kept = key in NEGATIONS.union(protected) or any(c.isdecimal() for c in word) or (i > 0 and word != key)
        alternatives = [s for s in dict.fromkeys(synonyms.get(key, [])) if s != key]
        if not kept and alternatives:
            open_places[i] = alternatives
    exist = 1
    for alternatives in open_places.values():
        exist *= 1 + len(alternatives)
    wanted = min(n, exist - 1)

    seen = set()
    while len(seen) < wanted:
        replaced = {i: own.choice(a) for i, a in open_places.items() if own.random() < 0.5}
        if not replaced:
            continue
        seen.add(tuple(sorted(replaced.items())))

    versions = []
    for chosen in sorted(seen):
        lookup = dict(chosen)
        counter = iter(range(len(words)))
        text = WORD.sub(lambda match, c=counter, d=lookup: d.get(next(c), match[0]), record["text"])
        versions.append(text)
    own.shuffle(versions)
    return [
        Version(record, id=f"{record['id']}#aug{i}", text=text, source=record["id"], augmented=True)
        for i, text in enumerate(versions)
    ]


def augment_train_only(splits, rng, n, *, synonyms, protected=frozenset()):
    copies = []
    for record in splits["train"]:
        copies.extend(augment(record, rng, n, synonyms=synonyms, protected=protected))
    rng.shuffle(copies)
    return {name: rows + copies if name == "train" else rows[:] for name, rows in splits.items()}
