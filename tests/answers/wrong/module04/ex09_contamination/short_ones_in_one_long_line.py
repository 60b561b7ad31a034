# names: short-texts-across-texts
# breaks: "if one training text of any length contains all of it"
# Short texts are looked up in one line of all training texts.
import re


def contaminated(train: list[str], test: list[str], n: int = 13) -> list[int]:
    grams, everything = (set(), [])
    for text in train:
        words = re.findall("\\w+", text.lower())
        everything += words
        grams |= {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}
    line = f" {' '.join(everything)} "
    found = []
    for index, text in enumerate(test):
        words = re.findall("\\w+", text.lower())
        if 0 < len(words) < n:
            if f" {' '.join(words)} " in line:
                found.append(index)
        elif any(tuple(words[i : i + n]) in grams for i in range(len(words) - n + 1)):
            found.append(index)
    return found
