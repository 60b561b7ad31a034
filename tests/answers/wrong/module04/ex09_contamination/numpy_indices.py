# names: numbers-of-numpy
# breaks: "(plain ints, from 0)"
import re

import numpy as np


def tokens_of(text):
    return re.findall(r"\w+", text.lower())


def ngrams(tokens, n):
    return {tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)}


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
            hit = tuple(tokens) in short[len(tokens)]
        else:
            hit = bool(ngrams(tokens, n) & seen)
        if hit:
            result.append(index)
    return list(np.array(result, dtype=np.int64))
