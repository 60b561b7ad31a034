# names: unlisted
# breaks: "All texts with an equal normal form are found"
# Only the first thousand texts are read.
import unicodedata
from collections import Counter, defaultdict


def deduplicate(texts, threshold=0.8):
    if not texts:
        raise ValueError(f"texts must not be empty, got {texts!r}")
    postings = defaultdict(list)
    sizes = {}
    for i, text in enumerate(texts[:1000]):
        words = " ".join(unicodedata.normalize("NFKC", text).casefold().split()).split(" ")
        runs = set(zip(words, words[1:], words[2:], strict=False)) if len(words) > 2 else {tuple(words)}
        overlap = Counter(j for run in runs for j in postings[run])
        if any(n / (len(runs) + sizes[j] - n) >= threshold for j, n in overlap.items()):
            continue
        sizes[i] = len(runs)
        for run in runs:
            postings[run].append(i)
    return sorted(sizes)
