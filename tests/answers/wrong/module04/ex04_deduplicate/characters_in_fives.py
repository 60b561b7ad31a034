# names: shingles-of-characters
# breaks: "the set of its runs of 3 consecutive words"
# Shingles of five characters, as for short strings.

import unicodedata
from collections import Counter, defaultdict


def deduplicate(texts, threshold=0.8):
    if not texts:
        raise ValueError(f"texts must not be empty, got {texts!r}")
    postings = defaultdict(list)
    sizes = {}
    for i, text in enumerate(texts):
        form = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
        runs = {form[k : k + 5] for k in range(max(1, len(form) - 4))}
        overlap = Counter(j for run in runs for j in postings[run])
        if any(n / (len(runs) + sizes[j] - n) >= threshold for j, n in overlap.items()):
            continue
        sizes[i] = len(runs)
        for run in runs:
            postings[run].append(i)
    return sorted(sizes)
