# names: share-of-the-runs
# breaks: "a text of n words or more, if n consecutive words of it are also consecutive"
# Contaminated is what has at least half of its runs in common with the training texts.
import re


def contaminated(train, test, n=13):
    train = [re.findall(r"\w+", text.lower()) for text in train]
    test = [re.findall(r"\w+", text.lower()) for text in test]
    sizes = {min(len(tokens), n) for tokens in test if tokens}
    seen = {tuple(t[i : i + size]) for t in train for size in sizes for i in range(len(t) - size + 1)}
    found = []
    for index, tokens in enumerate(test):
        if not tokens:
            continue
        size = min(len(tokens), n)
        runs = [tuple(tokens[i : i + size]) in seen for i in range(len(tokens) - size + 1)]
        if sum(runs) >= len(runs) / 2:
            found.append(index)
    return found
