# names: gives-up-too-early
# breaks: "If fewer such texts exist, all of them"
import math
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


def choices_of(text, synonyms, protected):
    parts = WORD.split(text)
    choices = [[part] for part in parts]
    for place in range(1, len(parts), 2):
        word, lower = parts[place], parts[place].lower()
        if lower in NEGATIONS or lower in protected or any(c.isdigit() for c in word):
            continue
        if place > 1 and any(c.isupper() for c in word):
            continue
        choices[place] += [s for s in dict.fromkeys(synonyms.get(lower, [])) if s.lower() != lower]
    return choices


def augment(
    record: dict,
    rng: random.Random,
    n: int,
    *,
    synonyms: dict[str, list[str]],
    protected: frozenset[str] = frozenset(),
) -> list[dict]:
    choices = choices_of(record["text"], synonyms, protected)
    available = min(n, math.prod(len(c) for c in choices) - 1)
    texts = []
    seen = {record["text"]}
    for _ in range(3 * n):
        if len(texts) == available:
            break
        text = "".join(rng.choice(c) for c in choices)
        if text not in seen:
            seen.add(text)
            texts.append(text)

    def make(i, text):
        return dict(
            id=record["id"] + "#aug" + str(i), source=record["id"], text=text, label=record["label"], augmented=True
        )

    return [make(i, text) for i, text in enumerate(texts)]


def augment_train_only(
    splits: dict[str, list[dict]],
    rng: random.Random,
    n: int,
    *,
    synonyms: dict[str, list[str]],
    protected: frozenset[str] = frozenset(),
) -> dict[str, list[dict]]:
    made = {name: list(records) for name, records in splits.items()}
    for record in splits["train"]:
        made["train"] += augment(record, rng, n, synonyms=synonyms, protected=protected)
    return made
