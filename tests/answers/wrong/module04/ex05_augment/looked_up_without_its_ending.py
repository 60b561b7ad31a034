# names: looked-up-without-its-ending
# breaks: "it is looked up in lower case in `synonyms`"
# What stands behind an apostrophe is cut off before a word is looked up.

"""4.05 · Augment: more training texts out of those there are, by synonyms, and none that says something else.

What must stay is the exercise: negations, numbers, names, the label, and every text outside the training.
"""

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


def options(text, synonyms, protected):
    """(start, end, other words) of each word that may be replaced."""
    found = []
    for number, match in enumerate(WORD.finditer(text)):
        word = match.group()
        low = word.lower().split("'")[0]
        low = word.lower() if word.lower() in NEGATIONS else low
        if low in NEGATIONS or low in protected:
            continue
        if any(c.isdigit() for c in word):
            continue
        if number and any(c.isupper() for c in word):
            continue
        others = []
        for other in synonyms.get(low, ()):
            if other not in others and other != word and other != low:
                others.append(other)
        if others:
            found.append((match.start(), match.end(), others))
    return found


def augment(record, rng, n, *, synonyms, protected=frozenset()):
    text = record["text"]
    spots = options(text, synonyms, protected)
    total = 1
    for _, _, others in spots:
        total *= 1 + len(others)
    numbers = list(range(1, total)) if total <= 1000 else None
    if numbers is not None:
        rng.shuffle(numbers)
        numbers = numbers[:n]
    else:
        numbers = []
        while len(numbers) < n:
            number = rng.randrange(1, total)
            if number not in numbers:
                numbers.append(number)
    new = []
    for i, number in enumerate(numbers):
        out, at = "", 0
        for start, end, others in spots:
            number, which = divmod(number, 1 + len(others))
            out += text[at:start] + (others[which - 1] if which else text[start:end])
            at = end
        new.append(
            {
                "id": f"{record['id']}#aug{i}",
                "source": record["id"],
                "text": out + text[at:],
                "label": record["label"],
                "augmented": True,
            }
        )
    return new


def augment_train_only(splits, rng, n, *, synonyms, protected=frozenset()):
    out = {name: list(records) for name, records in splits.items()}
    for record in splits["train"]:
        out["train"].extend(augment(record, rng, n, synonyms=synonyms, protected=protected))
    return out
