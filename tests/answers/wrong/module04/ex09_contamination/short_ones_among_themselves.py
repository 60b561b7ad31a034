# names: short-texts-only-in-short-ones
# breaks: "if one training text of any length contains all of it"
# Short texts are looked for in short training texts alone.
import re


def contaminated(train: list[str], test: list[str], n: int = 13) -> list[int]:
    grams, short = (set(), [])
    for text in train:
        words = re.findall("\\w+", text.lower())
        if len(words) < n:
            short.append(f" {' '.join(words)} ")
        grams.update(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
    found = []
    for index, text in enumerate(test):
        words = re.findall("\\w+", text.lower())
        if not words:
            continue
        if len(words) < n:
            hit = any(f" {' '.join(words)} " in line for line in short)
        else:
            hit = any(tuple(words[i : i + n]) in grams for i in range(len(words) - n + 1))
        if hit:
            found.append(index)
    return found
