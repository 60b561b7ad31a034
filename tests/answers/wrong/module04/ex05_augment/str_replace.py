# names: choices-kept-by-word
# breaks: "A word is what `WORD` finds"
# The words are replaced by str.replace, in the whole text.

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
    words = pieces[1::2]
    table = {word: options[1:] for word, options in zip(words, choices) if len(options) > 1}
    total = math.prod(1 + len(others) for others in table.values()) - 1
    texts = []
    for _ in range(200 * n):
        if len(texts) == min(n, total):
            break
        text = record["text"]
        for word, others in table.items():
            text = text.replace(word, rng.choice([word, *others]))
        if text != record["text"] and text not in texts:
            texts.append(text)
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
