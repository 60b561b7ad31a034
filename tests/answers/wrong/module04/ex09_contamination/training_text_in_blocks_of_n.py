# names: runs-side-by-side
# breaks: "if n consecutive words of it are also consecutive"
# Only every n-th run of a training text is kept: a run that begins at word 1 is missed.

import re


def contaminated(train: list[str], test: list[str], n: int = 13) -> list[int]:
    def words(text):
        return re.findall(r"\w+", text.lower())

    def runs(tokens, k):
        return {" ".join(tokens[i : i + k]) for i in range(len(tokens) - k + 1)}

    sides = [words(text) for text in test]
    lengths = {min(n, len(side)) for side in sides} - {0}
    known = {k: set() for k in lengths}
    for text in train:
        tokens = words(text)
        for k in lengths:
            known[k].update(" ".join(tokens[i : i + k]) for i in range(0, len(tokens) - k + 1, k))
    found = []
    for i, side in enumerate(sides):
        k = min(n, len(side))
        if k and not known[k].isdisjoint(runs(side, k)):
            found.append(i)
    return found
