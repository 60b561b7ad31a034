# names: gives-up-too-early
# breaks: "If fewer such texts exist, all of them"
# As in EDA a word is rarely replaced, and after ten tries a text is given up.

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


def _choices(text, synonyms, protected):
    pieces = WORD.split(text)
    choices = []
    for place in range(1, len(pieces), 2):
        word = pieces[place]
        low = word.lower()
        name = place > 1 and any(char.isupper() for char in word)
        digit = any(char.isdigit() for char in word)
        own = [word]
        if not (low in NEGATIONS or low in protected or digit or name):
            for other in synonyms.get(low, []):
                if other.lower() != low and other not in own:
                    own.append(other)
        choices.append(own)
    return pieces, choices


def augment(
    record: dict,
    rng: random.Random,
    n: int,
    *,
    synonyms: dict[str, list[str]],
    protected: frozenset[str] = frozenset(),
) -> list[dict]:
    pieces, choices = _choices(record["text"], synonyms, protected)
    texts = []
    for _ in range(n):
        for _ in range(10):
            text = list(pieces)
            changed = [place for place, options in enumerate(choices) if len(options) > 1]
            for place in changed:
                if rng.random() < 0.1:
                    text[2 * place + 1] = rng.choice(choices[place])
            joined = "".join(text)
            if joined != record["text"] and joined not in texts:
                texts.append(joined)
                break
    return [
        {
            "id": f"{record['id']}#aug{i}",
            "source": record["id"],
            "text": text,
            "label": record["label"],
            "augmented": True,
        }
        for i, text in enumerate(texts)
    ]


def augment_train_only(
    splits: dict[str, list[dict]],
    rng: random.Random,
    n: int,
    *,
    synonyms: dict[str, list[str]],
    protected: frozenset[str] = frozenset(),
) -> dict[str, list[dict]]:
    new = []
    for record in splits["train"]:
        new += augment(record, rng, n, synonyms=synonyms, protected=protected)
    return {name: [*records, *new] if name == "train" else list(records) for name, records in splits.items()}
