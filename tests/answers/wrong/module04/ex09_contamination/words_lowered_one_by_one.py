# names: lowered-after-the-search
# breaks: "in the text in lower case"
# Finds the words first: in lower case İ is two characters, and the second is no part of a word.

import re


def words_of(text):
    return [w.lower() for w in re.findall(r"\w+", text)]


def contaminated(train, test, n=13):
    runs, joined = set(), []
    for text in train:
        words = words_of(text)
        runs |= {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}
        joined.append(" " + " ".join(words) + " ")
    out = []
    for i, text in enumerate(test):
        words = words_of(text)
        if len(words) >= n:
            hit = any(tuple(words[j : j + n]) in runs for j in range(len(words) - n + 1))
        else:
            needle = " " + " ".join(words) + " "
            hit = bool(words) and any(needle in t for t in joined)
        if hit:
            out.append(i)
    return out
