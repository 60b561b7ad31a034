# names: synonyms-of-synonyms
# breaks: "replaced by one of its synonyms"
# Each new text is augmented again: a synonym is replaced by its own synonyms.

import random
import re

# A word, possibly with an apostrophe or a hyphen inside, as a group: `re.split(WORD, text)` gives a list with the
# words at its odd places and what is between them at its even ones; joined, the list is the text again.
WORD = re.compile(r"(\w+(?:['’-]\w+)*)")

# Without one of these, a sentence would say the opposite.
NEGATIONS = frozenset("no not never none nobody nothing nowhere neither nor without hardly barely cannot".split()) | {
    f"{verb}n{apostrophe}t"
    for verb in "is are was were do does did has have had ca wo would could should".split()
    for apostrophe in "'’"
}


def augment(record, rng, n, *, synonyms, protected=frozenset()):
    found = [record["text"]]
    for text in found:  # It grows while it is read, until nothing new comes.
        pieces = re.split(WORD, text)
        for place in range(1, len(pieces), 2):
            piece = pieces[place]
            key = piece.lower()
            if key in NEGATIONS or key in protected or any(char.isdigit() for char in piece):
                continue
            if place > 1 and key != piece:
                continue
            for other in synonyms.get(key, []):
                changed = "".join([*pieces[:place], other, *pieces[place + 1 :]])
                if changed not in found and len(found) < 300:
                    found.append(changed)
    found = found[1:]
    rng.shuffle(found)
    return [
        {
            "id": f"{record['id']}#aug{i}",
            "text": text,
            "label": record["label"],
            "source": record["id"],
            "augmented": True,
        }
        for i, text in enumerate(found[:n])
    ]


def augment_train_only(
    splits: dict[str, list[dict]],
    rng: random.Random,
    n: int,
    *,
    synonyms: dict[str, list[str]],
    protected: frozenset[str] = frozenset(),
) -> dict[str, list[dict]]:
    options = {"synonyms": synonyms, "protected": protected}
    new = [version for record in splits["train"] for version in augment(record, rng, n, **options)]
    return {**splits, "train": splits["train"] + new}
