# names: short-texts-never-found
# breaks: "a text of fewer than n words"
# The n-grams of both sides, intersected.
import re


def ngrams(text, n):
    tokens = re.findall(r"\w+", text.lower())
    return set(zip(*[tokens[i:] for i in range(n)]))


def contaminated(train, test, n=13):
    seen = set()
    for text in train:
        seen |= ngrams(text, n)
    return [i for i, text in enumerate(test) if ngrams(text, n) & seen]
