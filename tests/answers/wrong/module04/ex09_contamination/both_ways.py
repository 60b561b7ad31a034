# names: short-training-texts-looked-for
# breaks: "a text of n words or more, if n consecutive words of it are also consecutive"
# A short training text inside a test text counts, too: containment in either direction.
import re


def contaminated(train, test, n=13):
    def words(text):
        return re.findall(r"\w+", text.lower())

    seen = set()
    for text in train:
        tokens = words(text)
        for size in range(1, n + 1):
            if size == n or size == len(tokens):
                seen.update(tuple(tokens[i : i + size]) for i in range(len(tokens) - size + 1))
    whole = {" ".join(words(text)) for text in train}
    found = []
    for index, text in enumerate(test):
        tokens = words(text)
        runs = {tuple(tokens[i : i + size]) for size in range(1, n + 1) for i in range(len(tokens) - size + 1)}
        inside = len(tokens) < n and any(f" {' '.join(tokens)} " in f" {other} " for other in whole)
        if tokens and (runs & seen or inside):
            found.append(index)
    return found
