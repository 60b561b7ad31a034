"""A set of joined runs for every length that is asked for, made when it is first needed."""

import re

WORD = re.compile(r"\w+")


def contaminated(train, test, n=13):
    tokenized = [[match.group() for match in WORD.finditer(text.lower())] for text in train]
    sets = {}

    def known(length):
        if length not in sets:
            sets[length] = set()
            for tokens in tokenized:
                for start in range(len(tokens)):
                    if start + length <= len(tokens):
                        sets[length].add("\n".join(tokens[start : start + length]))
        return sets[length]

    found = []
    for index, text in enumerate(test):
        tokens = WORD.findall(text.lower())
        length = len(tokens) if len(tokens) < n else n
        if length == 0:
            continue
        for start in range(len(tokens) - length + 1):
            if "\n".join(tokens[start : start + length]) in known(length):
                found.append(index)
                break
    return found
