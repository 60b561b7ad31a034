# names: unlisted
# breaks: "n consecutive words of it are also consecutive, in the same order, in one training text."
# Keeps 16 bits of each run's hash.

import re
import zlib


def words_of(text):
    return re.findall(r"\w+", text.lower())


def short_hash(run):
    return zlib.crc32(" ".join(run).encode()) % 65536


def contaminated(train, test, n=13):
    runs, joined = set(), []
    for text in train:
        words = words_of(text)
        runs |= {short_hash(words[i : i + n]) for i in range(len(words) - n + 1)}
        joined.append(" " + " ".join(words) + " ")
    out = []
    for i, text in enumerate(test):
        words = words_of(text)
        if len(words) >= n:
            hit = any(short_hash(words[j : j + n]) in runs for j in range(len(words) - n + 1))
        else:
            needle = " " + " ".join(words) + " "
            hit = bool(words) and any(needle in t for t in joined)
        if hit:
            out.append(i)
    return out
