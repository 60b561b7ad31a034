# names: unlisted
# breaks: "everything between them"
# A template with {} for each word: braces in the text are taken for its own.

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


def augment(
    record: dict,
    rng: random.Random,
    n: int,
    *,
    synonyms: dict[str, list[str]],
    protected: frozenset[str] = frozenset(),
) -> list[dict]:
    pieces = re.split(WORD, record["text"])  # What stands between words has no synonyms and stays.
    choices = []
    for place, piece in enumerate(pieces):
        key = piece.lower()
        may_be_a_name = place != 1 and any(char.isupper() for char in piece)
        has_digit = any(char.isdigit() for char in piece)
        stays = may_be_a_name or has_digit or key in NEGATIONS or key in protected
        others = [] if stays else synonyms.get(key, [])
        choices.append(list(dict.fromkeys([piece, *others])))  # Each once, in order.
    possible = math.prod(len(options) for options in choices) - 1  # All but the text itself.
    template = "{}".join(pieces[::2])
    texts = [record["text"]]
    while len(texts) <= n and len(texts) <= possible:
        words = [rng.choice(options) for options in choices[1::2]]
        text = template.format(*words)
        if text not in texts:
            texts.append(text)
    marks = {"source": record["id"], "augmented": True}
    return [{**record, "id": f"{record['id']}#aug{i}", "text": text, **marks} for i, text in enumerate(texts[1:])]


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
