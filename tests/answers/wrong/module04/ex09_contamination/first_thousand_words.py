# names: beginnings-only
# breaks: "one training text of any length contains all of it as a run of"
# Each text is read up to its thousandth word.

import re


def tokens_of(text):
    return re.findall(r"\w+", text.lower())[:1000]


def ngrams(tokens, n):
    return {" ".join(tokens[i : i + n]) for i in range(len(tokens) - n + 1)}


def contaminated(train, test, n=13):
    train_tokens = [tokens_of(text) for text in train]
    seen = set()
    for tokens in train_tokens:
        seen |= ngrams(tokens, n)
    short_lengths = {len(tokens_of(text)) for text in test if 0 < len(tokens_of(text)) < n}
    short = {size: set() for size in short_lengths}
    for tokens in train_tokens:
        for size, runs in short.items():
            runs |= ngrams(tokens, size)
    result = []
    for index, text in enumerate(test):
        tokens = tokens_of(text)
        if not tokens:
            continue
        if len(tokens) < n:
            hit = " ".join(tokens) in short[len(tokens)]
        else:
            hit = bool(ngrams(tokens, n) & seen)
        if hit:
            result.append(index)
    return result
