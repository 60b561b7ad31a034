# names: words-run-together
# breaks: "The words are separated by the spaces of the normal form; punctuation belongs to its word."
# Three words make one string.

import unicodedata
from collections import Counter, defaultdict


def deduplicate(texts, threshold=0.8):
    if not texts:
        raise ValueError(f"texts must not be empty, got {texts!r}")
    postings = defaultdict(list)
    sizes = {}
    for i, text in enumerate(texts):
        words = " ".join(unicodedata.normalize("NFKC", text).casefold().split()).split(" ")
        runs = {"".join(words[k : k + 3]) for k in range(max(1, len(words) - 2))}
        overlap = Counter(j for run in runs for j in postings[run])
        if any(n / (len(runs) + sizes[j] - n) >= threshold for j, n in overlap.items()):
            continue
        sizes[i] = len(runs)
        for run in runs:
            postings[run].append(i)
    return sorted(sizes)
