# names: signs-between-words-lost
# breaks: "The order of the words and everything between them (spaces, line breaks, punctuation, emoji) stay."
# A blank is put between the words; only what stands at the ends of the text stays.

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
    words, choices = _choices(record["text"], synonyms, protected)
    pieces = [""]
    for word in words[1::2]:
        pieces += [word, " "]
    pieces[-1] = words[-1] if len(words) > 1 else words[0]
    total = math.prod(len(options) for options in choices) - 1
    wanted = min(n, total)
    numbers = []
    if total < 10 * n + 1000:
        numbers = rng.sample(range(1, total + 1), wanted)
    else:
        drawn = set()
        while len(numbers) < wanted:
            number = rng.randrange(1, total + 1)
            if number not in drawn:
                drawn.add(number)
                numbers.append(number)
    new = []
    for i, number in enumerate(numbers):
        text = list(pieces)
        for place, options in enumerate(choices):
            number, which = divmod(number, len(options))
            text[2 * place + 1] = options[which]
        new.append(
            {
                "id": f"{record['id']}#aug{i}",
                "source": record["id"],
                "text": "".join(text),
                "label": record["label"],
                "augmented": True,
            }
        )
    return new


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
