# names: unlisted
# breaks: "comparing every text with every other is not allowed"
# Every pair at once, by a matrix product of 0s and 1s: few lines are run, and time and memory grow with the pairs.
import unicodedata
from collections import Counter

import numpy as np


def deduplicate(texts, threshold=0.8):
    if not texts:
        raise ValueError("no texts")
    sets = []
    for text in texts:
        words = unicodedata.normalize("NFKC", text).casefold().split()
        sets.append({" ".join(words[k : k + 3]) for k in range(len(words) - 2)} or {" ".join(words)})
    counts = Counter(shingle for s in sets for shingle in s)
    column = {shingle: n for n, shingle in enumerate(sorted(shingle for shingle in counts if counts[shingle] > 1))}
    bits = np.zeros((len(sets), len(column)), dtype=np.float32)
    for row, s in enumerate(sets):
        bits[row, [column[shingle] for shingle in s if shingle in column]] = 1
    sizes = np.array([len(s) for s in sets], dtype=np.float32)
    both = bits @ bits.T
    similar = both >= threshold * (sizes[:, None] + sizes[None, :] - both) - 1e-4
    kept = np.zeros(len(sets), dtype=bool)
    for i in range(len(sets)):
        kept[i] = not (similar[i, :i] & kept[:i]).any()
    return np.flatnonzero(kept).tolist()
